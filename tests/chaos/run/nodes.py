"""Faults of a cluster of three brokers: one of them is gone, asleep, or cut off."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.chaos.faults import Side
from tests.chaos.nodes.cluster import Cluster, Node
from tests.chaos.run.wire import FOR_LONG, Fault, Span

_STOP, _CUT, _CUT_FROM_PEERS = "stop a node", "cut a node off", "cut a node off from its peers"
KILLS_AND_STOPS = ("kill a node", _STOP, FOR_LONG.format(_STOP))
FROM_PEERS = (_CUT_FROM_PEERS, FOR_LONG.format(_CUT_FROM_PEERS))
# What only root may do.
OF_A_NET = (_CUT, FOR_LONG.format(_CUT), *FROM_PEERS)
_DEAD = {"dead towards a node": Side.REQUEST, "dead from a node": Side.RESPONSE}
PARTITIONS = (*OF_A_NET, *_DEAD)
MENU = (*KILLS_AND_STOPS, *PARTITIONS)
_DOWN = (0.0, 1.5)
# Shorter than a controller waits for a broker, and longer than replicas are waited for.
_SHORT_LOSS, LONG_LOSS = (0.3, 1.5), (5.0, 9.0)
_DEAD_SPAN = (1.0, 6.0)


@dataclass(frozen=True)
class Nodes:
    """Each of `faults` is over when all three are one cluster again."""

    cluster: Cluster
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name."""
        last = {_STOP: self._stop, _CUT: self._cut, _CUT_FROM_PEERS: self._cut_from_peers}
        work: dict[str, Callable[[Node], Awaitable[bool]]] = {"kill a node": self._kill}
        for name, each in last.items():
            work |= {
                name: partial(each, _SHORT_LOSS),
                FOR_LONG.format(name): partial(each, LONG_LOSS),
            }
        work |= {name: partial(self._dead, side) for name, side in _DEAD.items()}
        return {name: self._to_some(each) for name, each in work.items()}

    def _to_some(self, work: Callable[[Node], Awaitable[bool]]) -> Fault:
        async def strike() -> bool:
            happened = await work(self.random.choice(self.cluster.nodes))
            await self.cluster.until_whole()
            return happened

        return strike

    async def _kill(self, node: Node) -> bool:
        await node.process.kill()
        await asyncio.sleep(self.random.uniform(*_DOWN))
        node.start()
        return True

    async def _stop(self, span: Span, node: Node) -> bool:
        os.kill(node.process.pid, signal.SIGSTOP)
        try:
            await self._wait(span)
        finally:
            os.kill(node.process.pid, signal.SIGCONT)
        return True

    async def _cut(self, span: Span, node: Node) -> bool:
        self.cluster.net.cut(node.place, on=True)
        try:
            await self._wait(span)
        finally:
            self.cluster.net.cut(node.place, on=False)
        return True

    async def _cut_from_peers(self, span: Span, node: Node) -> bool:
        """Clients still reach it, and it may believe that it leads."""
        self.cluster.net.cut_from_peers(node.place, on=True)
        try:
            await self._wait(span)
        finally:
            self.cluster.net.cut_from_peers(node.place, on=False)
        return True

    async def _dead(self, side: Side, node: Node) -> bool:
        """The services reach it one way only; its peers and everybody else reach it."""
        door = self.cluster.nodes.index(node)
        lost = self.cluster.proxy.drop(side=side, times=None, door=door)
        try:
            await self._wait(_DEAD_SPAN)
        finally:
            lost.lift()
        return bool(lost.requests)

    async def _wait(self, span: Span) -> None:
        await asyncio.sleep(self.random.uniform(*span))
