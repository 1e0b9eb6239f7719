"""One look after the other, each a finding also where it fails."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from authbus_service.cluster import ClusterError
from authbus_service.consumers.transient import OUTAGE
from authbus_service.consumers.went_back import DatabaseWentBackError
from authbus_service.core.database import name_of
from authbus_service.core.security.masters import MasterKeyError
from authbus_service.startup.diagnosis import Diagnosis
from authbus_service.startup.errors import StartupError

_WHERE = "Is it there, are KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL right, and may we ask it?"
_EXPECTED = (ClusterError, DatabaseWentBackError, MasterKeyError, StartupError)
# What is looked at, how, and whether a failure stands in the way of what comes after it.
Look = tuple[str, Callable[[], Awaitable[Diagnosis]], bool]


async def looked(*looks: Look) -> AsyncGenerator[Diagnosis]:
    """Every finding, up to one that hides the others."""
    for what, look, is_needed in looks:
        found = await _look(what, look, hides=is_needed)
        yield found
        if found.hides:
            return


async def _look(what: str, look: Callable[[], Awaitable[Diagnosis]], *, hides: bool) -> Diagnosis:
    try:
        return await look()
    except _EXPECTED as error:
        return Diagnosis(what, "fault", str(error), hides)
    except OUTAGE as error:
        told = f"cannot be looked at: {name_of(error)}. {_WHERE}"
        return Diagnosis(what, "fault", told, hides)
