"""A server that goes away or refuses us is told of like one that was not there at first."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    KafkaUnavailableError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from authbus_service.consumers.transient import is_transient
from authbus_service.core.database import name_of
from authbus_service.core.security.masters import MasterKeyError
from authbus_service.startup.errors import StartupError

# The first is aiokafka's word for what it did not expect: a broker that failed by itself.
_PASSING = (KafkaError, KafkaTimeoutError, KafkaUnavailableError)

_REFUSALS = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
# Of what we write to: nobody reads on, or there is no room. No server says so.
_OF_OUTPUT = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO}


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


def raise_told(error: Exception) -> None:
    """Raise StartupError, with its cure, where a server has ended an operator's command half-way.

    Returns where none has.
    """
    refused = _refusal_in(error)
    if refused is not None:
        raise StartupError(
            f"Kafka does not let us go on: {_named(refused)}. Give our name that right, or do it "
            "as somebody who has it. authbus acls check tells which of those declared are missing"
        ) from error
    is_of_output = isinstance(error, OSError) and error.errno in _OF_OUTPUT
    if _is_an_outage(error) and not is_of_output:
        raise StartupError(
            f"a server went away, or refused us, in the middle of it: {name_of(error)}. "
            "authbus doctor tells which. Then run it again: "
            "what may be ended half-way says in its help how it goes on"
        ) from error


def _refusal_in(error: BaseException) -> BaseException | None:
    """A right that is not ours; aiokafka may have raised something else because of that."""
    if isinstance(error, _REFUSALS) or error.__cause__ is None:
        return error if isinstance(error, _REFUSALS) else None
    return _refusal_in(error.__cause__)


def _named(refused: BaseException) -> str:
    """With the topic or group that it is about, where it says so."""
    about = ", ".join(str(each) for each in refused.args)
    return f"{name_of(refused)} ({about})" if about else name_of(refused)


def _is_an_outage(error: Exception) -> bool:
    if isinstance(error, KafkaError):
        return error.retriable or type(error) in _PASSING
    is_about_a_file = isinstance(error, OSError) and error.filename is not None
    # A process that runs may wait for a master key: another one has it. A start has its own cure.
    is_about_a_key = isinstance(error, MasterKeyError)
    return is_transient(error) and not (is_about_a_file or is_about_a_key)
