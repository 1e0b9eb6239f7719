"""A server that goes away or refuses us while we start is told of like one that is not there."""

from collections.abc import Generator
from contextlib import contextmanager

from aiokafka.errors import KafkaError, KafkaTimeoutError, KafkaUnavailableError

from authbus_service.consumers.transient import is_transient
from authbus_service.core.database import name_of
from authbus_service.core.security.masters import MasterKeyError
from authbus_service.startup.errors import StartupError

# The first is aiokafka's word for what it did not expect: a broker that failed by itself.
_PASSING = (KafkaError, KafkaTimeoutError, KafkaUnavailableError)


@contextmanager
def outages_told() -> Generator[None]:
    """Raise StartupError, with its cure, for what is raised in the block and passes by itself."""
    try:
        yield
    except Exception as error:
        if not _is_an_outage(error):
            raise
        raise StartupError(
            f"a server went away, or refused us, while the service began: {name_of(error)}. "
            "Is Kafka there, and is PostgreSQL, and do both let us in? Then start it again"
        ) from error


def _is_an_outage(error: Exception) -> bool:
    if isinstance(error, KafkaError):
        return error.retriable or type(error) in _PASSING
    is_about_a_file = isinstance(error, OSError) and error.filename is not None
    # A process that runs may wait for a master key: another one has it. A start has its own cure.
    is_about_a_key = isinstance(error, MasterKeyError)
    return is_transient(error) and not (is_about_a_file or is_about_a_key)
