"""A record is tried until it is finished: answered, buried, or known from before."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

from authbus.state import DeadLetterReason
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import Labels, read_labels
from authbus_service.consumers.route import Voice
from authbus_service.consumers.transient import is_transient
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core import clock
from authbus_service.core.database import name_of
from authbus_service.core.logging import bind, get_logger
from authbus_service.core.watch import DEAD, About, Watch, type_of

_AGAIN = (0.1, 0.3, 1.0, 3.0)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finishing:
    """Takes a record to its end. `way` tries once and says what became of it."""

    way: Callable[[Arrival, Labels], Awaitable[str]]
    speaker: Voice
    watch: Watch
    namespace: str

    async def __call__(self, arrival: Arrival) -> None:
        """Returns when the record is finished; a failure that passes is tried again for ever."""
        try:
            labels = read_labels(arrival)
        except UnreadableError as error:
            await self.speaker.bury(arrival, error.reason, None)
            self.watch.finished(None, DEAD)
            return
        self.watch.waited((clock.now() - arrival.appended_at).total_seconds())
        with (
            bind(command_id=str(labels.id)),
            self.watch.command(partial(self._about, arrival, labels)),
            _traced(self.watch.traceparent(labels.traceparent)),
        ):
            outcome = await self._until_finished(arrival, labels)
            self.watch.finished(labels.text.get("ce_type"), outcome)

    def _about(self, arrival: Arrival, labels: Labels) -> About:
        return About(
            topic=arrival.topic.name(self.namespace),
            id=str(labels.id),
            type=type_of(labels.text.get("ce_type")),
            traceparent=labels.traceparent,
            partition=arrival.partition,
            offset=arrival.offset,
        )

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
                    await self.speaker.bury(arrival, DeadLetterReason.FAILED, str(labels.id))
                    return DEAD
                self.watch.again("command")
                _log.warning("command waits", error=name_of(error))
            await asyncio.sleep(_AGAIN[min(attempt, len(_AGAIN) - 1)])
            attempt += 1


def _traced(traceparent: str | None) -> AbstractContextManager[None]:
    """Every line of the log names the trace, if there is one."""
    return nullcontext() if traceparent is None else bind(trace_id=traceparent[3:35])
