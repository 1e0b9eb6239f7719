"""One look after the other, each a finding also where it fails."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from authbus_service.cluster import ClusterError
from authbus_service.consumers.transient import OUTAGE
from authbus_service.consumers.went_back import DatabaseWentBackError
from authbus_service.core.database import name_of
from authbus_service.core.security.masters import MasterKeyError
from authbus_service.startup.diagnosis import Diagnosis, State
from authbus_service.startup.errors import StartupError

_WHERE = "Is it there, are KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL right, and may we ask it?"
_EXPECTED = (ClusterError, DatabaseWentBackError, MasterKeyError, StartupError)


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at, how, and what must have been found before that."""

    what: str
    at: Callable[[], Awaitable[Diagnosis]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """Looks that know of each other: what one could not find is nothing that another may need."""

    hidden: set[str] = field(default_factory=set[str])

    async def looked(self, *looks: Look, failed: State = "fault") -> AsyncGenerator[Diagnosis]:
        """Every finding but of what needs something hidden. A look that fails is a `failed`."""
        for look in looks:
            if not self.hidden.isdisjoint(look.needs):
                self.hidden.add(look.what)
                continue
            found = await _look(look, failed)
            if found.hides:
                self.hidden.add(look.what)
            yield found


async def _look(look: Look, failed: State) -> Diagnosis:
    try:
        return await look.at()
    except _EXPECTED as error:
        return Diagnosis(look.what, failed, str(error), hides=True)
    except OUTAGE as error:
        told = f"cannot be looked at: {name_of(error)}. {_WHERE}"
        return Diagnosis(look.what, failed, told, hides=True)
