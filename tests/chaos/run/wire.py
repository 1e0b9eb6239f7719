"""Faults on the wire between the services and the broker, each inside of what it breaks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.chaos.faults import Rule, Side
from tests.chaos.proxy import Proxy
from tests.chaos.wire import Api

# What is long is counted apart: it is what time-outs are for.
FOR_LONG = "{} for long"
_HELD = ("hold EndTxn", "hold Produce of the relay", "hold AddPartitionsToTxn")
IN_A_TRANSACTION = (
    *_HELD,
    *map(FOR_LONG.format, _HELD),
    "lose the answer to EndTxn",
    "lose the answer to Produce of the relay",
    "cut before EndTxn",
    "cut after EndTxn",
    "half-close at Produce of the relay",
)
MENU = (
    *IN_A_TRANSACTION,
    "hold OffsetCommit",
    FOR_LONG.format("hold OffsetCommit"),
    "dead towards the broker",
    "dead from the broker",
    "cut all",
)
# How long a request of a kind that is rare may take to come by.
_COMES_SECONDS = 5.0
# Shorter than a relay waits for Kafka, and longer.
SHORT_HOLD, LONG_HOLD = (0.05, 0.5), (2.5, 6.0)
_DEAD_SECONDS = (0.5, 4.0)

Fault = Callable[[], Awaitable[bool]]
Span = tuple[float, float]


@dataclass(frozen=True)
class Wire:
    """`relay` is the name under which relays speak to Kafka."""

    proxy: Proxy
    relay: str
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name; each tells whether it happened."""
        proxy, relay = self.proxy, self.relay
        return {
            **self._holds("hold EndTxn", Api.END_TXN),
            **self._holds("hold Produce of the relay", Api.PRODUCE, relay),
            **self._holds("hold AddPartitionsToTxn", Api.ADD_PARTITIONS_TO_TXN),
            **self._holds("hold OffsetCommit", Api.OFFSET_COMMIT),
            "lose the answer to EndTxn": lambda: self._once(
                proxy.drop(Api.END_TXN, side=Side.RESPONSE)
            ),
            "lose the answer to Produce of the relay": lambda: self._once(
                proxy.drop(Api.PRODUCE, client_id=relay, side=Side.RESPONSE)
            ),
            "cut before EndTxn": lambda: self._once(proxy.cut_at(Api.END_TXN, side=Side.REQUEST)),
            "cut after EndTxn": lambda: self._once(proxy.cut_at(Api.END_TXN, side=Side.RESPONSE)),
            "half-close at Produce of the relay": lambda: self._once(
                proxy.half_close(Api.PRODUCE, client_id=relay)
            ),
            "dead towards the broker": lambda: self._dead(Side.REQUEST),
            "dead from the broker": lambda: self._dead(Side.RESPONSE),
            "cut all": self._cut,
        }

    def _holds(self, name: str, api: Api, client_id: str | None = None) -> Mapping[str, Fault]:
        return {
            name: lambda: self._hold(api, client_id, SHORT_HOLD),
            FOR_LONG.format(name): lambda: self._hold(api, client_id, LONG_HOLD),
        }

    async def _hold(self, api: Api, client_id: str | None, span: Span) -> bool:
        """Keep one back; on its way the client gives up, or not."""
        held = self.proxy.hold(api, client_id=client_id)
        try:
            if not await _came(held):
                return False
            await self._wait(*span)
            return True
        finally:
            held.release()

    async def _once(self, rule: Rule) -> bool:
        try:
            return await _came(rule)
        finally:
            rule.lift()

    async def _dead(self, side: Side) -> bool:
        """What goes one way on a connection gets lost; connections made meanwhile too."""
        rule = self.proxy.drop(side=side, times=None)
        try:
            await self._wait(*_DEAD_SECONDS)
        finally:
            rule.lift()
        return bool(rule.requests)

    async def _cut(self) -> bool:
        return self.proxy.cut() > 0

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self.random.uniform(least, most))


async def _came(rule: Rule) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_COMES_SECONDS):
            await rule.caught()
            return True
    return False
