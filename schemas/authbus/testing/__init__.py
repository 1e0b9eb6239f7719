"""An authbus in memory, for the tests of those who use one: no Kafka, no service, no waiting.

Its clients, streams and verifiers are AuthClient, EventStream and Verifier, with the same calls,
errors, codes and events; one set of tests holds both to that. What it does not know, it refuses
with NotImplementedError: second factors, service accounts, imports, exports and look-ups.
It does not judge which languages and time zones exist, the age of a command's id, or how many come
from one address, and knows few of the common passwords.
"""

from authbus.testing.fake import FakeAuthbus
from authbus.testing.rows import Mail
from authbus.testing.settings import Settings

__all__ = ["FakeAuthbus", "Mail", "Settings"]
