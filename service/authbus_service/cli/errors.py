"""Which errors are for a person to mend, and what is said of them."""

from authbus.errors import AuthError, AuthRejected
from authbus_service.cluster import ClusterError
from authbus_service.consumers.went_back import DatabaseWentBackError
from authbus_service.core.config import ConfigError
from authbus_service.core.security.compiled.build import BuildError
from authbus_service.core.security.masters import MasterKeyError
from authbus_service.core.security.rotation import RotationError
from authbus_service.core.watchdog import StalledError
from authbus_service.embedded import EmbeddedError
from authbus_service.inbox.writing import OthersWriteError, RecoveryRunsError
from authbus_service.recovery.events import MissingEventError, UnknownEventError
from authbus_service.recovery.unsealing import UnsealerGoneError
from authbus_service.relay.errors import EpochOverError, ManifestError, UnsettledError
from authbus_service.startup.errors import StartupError

MENDABLE = (
    AuthError,
    BuildError,
    ClusterError,
    ConfigError,
    DatabaseWentBackError,
    EmbeddedError,
    EpochOverError,
    ManifestError,
    MasterKeyError,
    MissingEventError,
    OthersWriteError,
    RecoveryRunsError,
    RotationError,
    StalledError,
    StartupError,
    UnknownEventError,
    UnsealerGoneError,
    UnsettledError,
)


def explain(error: Exception) -> str | None:
    """The reason and the cure, or None for a bug, whose trace somebody needs."""
    if isinstance(error, AuthRejected):
        return f"{error}: {error.code.meaning.cause} {error.code.meaning.cure}"
    return str(error) if isinstance(error, MENDABLE) else None
