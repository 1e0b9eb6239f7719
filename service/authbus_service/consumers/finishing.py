"""A record is tried until it is finished: answered, buried, or known from before."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import Labels, read_labels
from authbus_service.consumers.route import Voice
from authbus_service.consumers.transient import is_transient
from authbus_service.consumers.unreadable import Reason, UnreadableError
from authbus_service.core import clock
from authbus_service.core.logging import bind, get_logger
from authbus_service.core.metrics import Stage
from authbus_service.core.watch import DEAD, Watch

_AGAIN = (0.1, 0.3, 1.0, 3.0)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finishing:
    """Takes a record to its end. `way` tries once and says what became of it."""

    way: Callable[[Arrival, Labels], Awaitable[str]]
    speaker: Voice
    watch: Watch

    async def __call__(self, arrival: Arrival) -> None:
        """Returns when the record is finished; a failure that passes is tried again for ever."""
        try:
            labels = read_labels(arrival)
        except UnreadableError as error:
            await self.speaker.bury(arrival, error.reason, None)
            self.watch.finished(None, DEAD)
            return
        self.watch.waited((clock.now() - arrival.appended_at).total_seconds())
        with bind(command_id=str(labels.id)), self.watch.stage(Stage.HANDLED):
            outcome = await self._until_finished(arrival, labels)
        self.watch.finished(labels.text.get("ce_type"), outcome)

    async def _until_finished(self, arrival: Arrival, labels: Labels) -> str:
        attempt = 0
        while True:
            try:
                return await self.way(arrival, labels)
            except UnreadableError as error:
                await self.speaker.bury(arrival, error.reason, str(labels.id))
                return DEAD
            except Exception as error:  # noqa: BLE001 - one command's fault is no other's
                if not is_transient(error):
                    _log.exception("command failed", place=arrival.place, offset=arrival.offset)
                    await self.speaker.bury(arrival, Reason.FAILED, str(labels.id))
                    return DEAD
                self.watch.again("command")
                _log.warning("command waits", error=type(error).__name__)
            await asyncio.sleep(_AGAIN[min(attempt, len(_AGAIN) - 1)])
            attempt += 1
