"""Which clients are declared."""

from collections.abc import Mapping
from pathlib import Path

from authbus_service.core.clients import EMBEDDED_CLIENTS, Client, read_clients
from authbus_service.startup.errors import StartupError


def declared_clients(file: Path | None, *, own_kafka: bool) -> Mapping[str, Client]:
    """The clients of the file; a Kafka of our own has some without a file.

    Raises ConfigError for a wrong file, StartupError when one is needed.
    """
    if file is not None:
        return read_clients(file)
    if own_kafka:
        return EMBEDDED_CLIENTS
    raise StartupError(
        "AUTHBUS_CLIENTS is needed. "
        "It names a file that declares who may send commands, a table like "
        '[[client]] and in it id = "web" for each'
    )
