"""`authbus serve`."""

import asyncio
import sys
from typing import Any, Literal

from authbus_service.cli.output import report, show
from authbus_service.cli.running import run, until_asked
from authbus_service.core import garbage
from authbus_service.core.config import Settings, load
from authbus_service.core.database import place_of
from authbus_service.core.logging import configure, library_logger
from authbus_service.embedded import warm
from authbus_service.main import Service
from authbus_service.startup.errors import StartupError
from authbus_service.startup.mail import mail_folder
from authbus_service.startup.servers import Servers, addresses, needs_own_kafka, running_servers

# Their lines below a warning tell of their own work: who looks for that sets `debug`.
_CHATTY = ("aiokafka", "alembic", "uvicorn")
_QUIET = {"debug": "INFO", "info": "WARNING", "warning": "WARNING", "error": "ERROR"}


def serve() -> None:
    """Run until SIGTERM or Ctrl-C; raise what ends the service before."""
    settings = load()
    configure(_log_format(settings), settings.log_level)
    for library in _CHATTY:
        library_logger(library).setLevel(_QUIET[settings.log_level])
    if needs_own_kafka(settings):
        warm(report)  # before the loop takes Ctrl-C, so that it ends a download
    run(until_asked(_serve(settings)))


def _log_format(settings: Settings) -> Literal["json", "text"]:
    """As it is set; where nothing is set, text for a person who looks on."""
    if "log_format" not in settings.model_fields_set and sys.stderr.isatty():
        return "text"
    return settings.log_format


async def _serve(settings: Settings) -> None:
    async with running_servers(settings, report) as servers, Service(servers) as service:
        garbage.leave_alone()
        show(_addresses(servers, service))
        ends = (asyncio.create_task(service.failed()), asyncio.create_task(_died(servers)))
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in ends:
                each.cancel()


async def _died(servers: Servers) -> None:
    raise StartupError(await servers.died())


def _addresses(servers: Servers, service: Service) -> dict[str, Any]:
    folder = mail_folder(servers)
    return {
        "kafka": servers.settings.kafka_bootstrap_servers,
        "database": _shown(servers),
        "http": service.http_url or "off",
        "namespace": servers.settings.namespace,
        "trust": service.trust,
        **({} if folder is None else {"mails": str(folder)}),
    }


def _shown(servers: Servers) -> str:
    """The database's address; who gave one knows how to come in there."""
    _, url = addresses(servers.settings)
    if servers.own_database:
        return url.replace("+asyncpg", "")
    return place_of(url)
