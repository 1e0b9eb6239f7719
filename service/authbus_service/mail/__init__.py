"""Mail out: what was queued with an effect is rendered and sent, again and again until it is.

Public: Mailer, the carriers Smtp, Folder and Nowhere, and Writing.
"""

from authbus_service.mail.carriers import Carrier, Folder, Nowhere
from authbus_service.mail.mailer import Mailer
from authbus_service.mail.smtp import Smtp
from authbus_service.mail.writing import Writing

__all__ = ["Carrier", "Folder", "Mailer", "Nowhere", "Smtp", "Writing"]
