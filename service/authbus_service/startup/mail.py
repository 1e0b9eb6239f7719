"""How mails leave: by SMTP where it is set, on a PostgreSQL of our own into a folder."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.core.mail_settings import parse_sender, parse_smtp
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.masters import Masters
from authbus_service.mail import Carrier, Folder, Mailer, Nowhere, Smtp, Writing
from authbus_service.outbox.mails import QueuedMail
from authbus_service.startup.servers import Servers

_FOLDER = "mails"
_SENDER = "authbus <no-reply@localhost>"
_LINK_BASE = "http://localhost:3000"

_log = get_logger(__name__)


@asynccontextmanager
async def sending(
    servers: Servers, database: Database, masters: Masters, metrics: Metrics
) -> AsyncGenerator[asyncio.Task[None]]:
    """Send mails for the length of a block; what is then unsent waits for the next process."""
    settings = servers.settings
    sender = parse_sender(settings.mail_from or _SENDER)
    carrier = _carrier(servers)
    write = Writing(masters, sender, settings.link_base_url or _LINK_BASE)
    mailer = Mailer(
        database, _blank if isinstance(carrier, Nowhere) else write, carrier, metrics=metrics
    )
    task = asyncio.create_task(mailer.run(), name="mail")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _blank(_: QueuedMail) -> EmailMessage:
    """To write what does not leave would cost as much each time that it is tried."""
    return EmailMessage()


def mail_folder(servers: Servers) -> Path | None:
    """Where mails are written for a developer to read; None: they are sent, or wait."""
    if servers.settings.smtp_url is None and servers.own_database:
        return servers.settings.data / _FOLDER
    return None


def _carrier(servers: Servers) -> Carrier:
    url, folder = servers.settings.smtp_url, mail_folder(servers)
    if url is not None:
        return Smtp(parse_smtp(url.get_secret_value()))
    if folder is not None:
        _log.info("mails are written into a folder", folder=str(folder))
        return Folder(folder)
    _log.warning("mails are not sent; set AUTHBUS_SMTP_URL")
    return Nowhere()
