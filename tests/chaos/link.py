"""One client's connection and its twin to the broker, with a pump each way."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.chaos.faults import Fault, Rule, Side
from tests.chaos.wire import Request, correlation_id, read_frame, write_frame

Judge = Callable[[Request, Side], Rule | None]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """Moves frames between a client and the broker, and applies what the judge says.

    Each pump handles one frame at a time, so a frame that waits keeps all behind it waiting.
    The client's end of stream travels in the same order: a request that is held when its client
    goes away still reaches the broker first.
    """

    def __init__(
        self, client: Stream, broker: Stream, judge: Judge, counts: Counter[Fault]
    ) -> None:
        """Take both ends, open already."""
        self.client_id: str | None = None
        self._from_client, self._to_client = client
        self._from_broker, self._to_broker = broker
        self._judge = judge
        self._counts = counts
        self._waiting: dict[int, Request] = {}
        self._dead: set[Side] = set()
        self._holds_request = False

    async def run(self) -> None:
        """Pump until both ends are finished."""
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump_requests())
                pumps.create_task(self._pump_answers())
        finally:
            self._abort()
            for request in self._waiting.values():
                request.answer.cancel()

    def cut(self) -> bool:
        """Reset the client's end, and the broker's too unless a held request needs it.

        False when the client was gone before.
        """
        alive = not self._to_client.is_closing()
        self._to_client.transport.abort()
        if not self._holds_request:
            self._to_broker.transport.abort()
        return alive

    def _abort(self) -> None:
        self._to_client.transport.abort()
        self._to_broker.transport.abort()

    async def _pump_requests(self) -> None:
        while (frame := await read_frame(self._from_client)) is not None:
            request = Request.parse(frame)
            self.client_id = request.client_id
            self._waiting[request.correlation_id] = request
            if await self._passes(request, Side.REQUEST):
                await write_frame(self._to_broker, frame)
        if Side.REQUEST not in self._dead:
            _end(self._to_broker)

    async def _pump_answers(self) -> None:
        while (frame := await read_frame(self._from_broker)) is not None:
            request = self._waiting.pop(correlation_id(frame))
            request.answer.set_result(frame)
            if await self._passes(request, Side.RESPONSE):
                await write_frame(self._to_client, frame)
        if Side.RESPONSE not in self._dead:
            self._to_client.close()

    async def _passes(self, request: Request, side: Side) -> bool:
        if side in self._dead:
            return False
        rule = self._judge(request, side)
        if rule is None:
            return True
        self._counts[rule.fault] += 1
        self._holds_request |= side is Side.REQUEST and rule.fault is Fault.HOLD
        await rule.add(request)
        return await self._suffer(rule, side)

    async def _suffer(self, rule: Rule, side: Side) -> bool:
        if rule.fault is Fault.HOLD:
            await rule.until_lifted()
            self._holds_request &= side is not Side.REQUEST
        elif rule.fault is Fault.DELAY:
            await asyncio.sleep(rule.seconds)
        elif rule.fault is Fault.CUT:
            self._abort()
        else:
            self._dead.add(side)
        if rule.fault is Fault.HALF_CLOSE:
            _end(self._to_broker if side is Side.REQUEST else self._to_client)
        return rule.fault in (Fault.HOLD, Fault.DELAY)


def _end(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        with suppress(OSError):
            writer.write_eof()
