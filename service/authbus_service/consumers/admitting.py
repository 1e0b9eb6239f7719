"""Nothing is handled before the guard has agreed to the partitions that a member was given."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from authbus_service.consumers.progress import Progress
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core.database import name_of
from authbus_service.core.logging import get_logger
from authbus_service.inbox.fence import Place

_GUARD_SECONDS, _GUARD_AGAIN_SECONDS = 3.0, 0.2

_log = get_logger(__name__)

Guard = Callable[[Mapping[Place, int]], Awaitable[None]]


class Admission:
    """Lets in what is fetched in one round of a group, from the guard's answer to the next round.

    The guard is asked whether the database is at least as new as Kafka's offsets; again and again
    while nobody knows.
    """

    def __init__(
        self, group: str, guard: Guard, progress: Progress, failed: Callable[[Exception], None]
    ) -> None:
        """`failed` is told what the guard refuses with, or cannot be asked for."""
        self._group = group
        self._guard = guard
        self._progress = progress
        self._failed = failed
        self._round = 0
        self._is_closed = False
        self._open = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether records are let in."""
        return self._open.is_set()

    @property
    def shut_seconds(self) -> float:
        """For how long the guard has been asked without an answer; 0 once it has agreed."""
        return 0.0 if self.is_open else time.monotonic() - self._asked_at

    async def granted(self) -> bool:
        """Waits for the guard or the round's end; whether what was fetched may be handled."""
        this_round = self._round
        await self._open.wait()
        return self._is_in(this_round)

    def ask(self, committed: Callable[[], Awaitable[Mapping[Place, int]]]) -> None:
        """Ask the guard about these offsets of Kafka's, beside the caller."""
        self._asked_at = time.monotonic()
        self._asking = asyncio.create_task(self._ask(committed))

    def next_round(self) -> None:
        """Let nothing more in of what was fetched, and nothing at all until the guard agrees.

        Who waits is told no: aiokafka joins the next round only when it is asked for records.
        """
        self._round += 1
        self._open.set()
        self._open = asyncio.Event()

    def close(self) -> None:
        """Let nothing in any more; who waits is told so."""
        self._is_closed = True
        self._open.set()

    async def ask_no_more(self) -> None:
        """Let no question to the guard outlive who asked.

        It holds connections, and one that is cancelled while it makes them leaves them open.
        """
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=_GUARD_SECONDS)
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self, committed: Callable[[], Awaitable[Mapping[Place, int]]]) -> None:
        this_round = self._round
        while self._is_in(this_round):
            try:
                await self._guard(await committed())
            except OUTAGE as error:
                self._progress.taken += 1
                _log.warning("the fence is not known", group=self._group, error=name_of(error))
                await asyncio.sleep(_GUARD_AGAIN_SECONDS)
            except Exception as error:  # noqa: BLE001 - the process ends with it
                self._failed(error)
                return
            else:
                if this_round == self._round:
                    self._open.set()
                return

    def _is_in(self, this_round: int) -> bool:
        return this_round == self._round and not self._is_closed
