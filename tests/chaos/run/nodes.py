"""Faults of a cluster of three brokers: one of them is gone, asleep, or cut off."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.chaos.nodes.cluster import Cluster, Node
from tests.chaos.run.wire import Fault

KILLS_AND_STOPS = ("kill a node", "stop a node")
FROM_PEERS = "cut a node off from its peers"
PARTITIONS = ("cut a node off", FROM_PEERS)
MENU = (*KILLS_AND_STOPS, *PARTITIONS)
_DOWN = (0.0, 1.5)
# Shorter than a controller waits for a broker, and longer than replicas are waited for.
_SHORT, _LONG = (0.3, 1.5), (5.0, 9.0)


@dataclass(frozen=True)
class Nodes:
    """Each of `faults` is over when all three are one cluster again."""

    cluster: Cluster
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name."""
        work = (self._kill, self._stop, self._cut, self._cut_from_peers)
        return {name: self._to_some(each) for name, each in zip(MENU, work, strict=True)}

    def _to_some(self, work: Callable[[Node], Awaitable[None]]) -> Fault:
        async def strike() -> bool:
            await work(self.random.choice(self.cluster.nodes))
            await self.cluster.until_whole()
            return True

        return strike

    async def _kill(self, node: Node) -> None:
        await node.process.kill()
        await asyncio.sleep(self.random.uniform(*_DOWN))
        node.start()

    async def _stop(self, node: Node) -> None:
        os.kill(node.process.pid, signal.SIGSTOP)
        try:
            await self._wait()
        finally:
            os.kill(node.process.pid, signal.SIGCONT)

    async def _cut(self, node: Node) -> None:
        self.cluster.net.cut(node.place, on=True)
        try:
            await self._wait()
        finally:
            self.cluster.net.cut(node.place, on=False)

    async def _cut_from_peers(self, node: Node) -> None:
        """Clients still reach it, and it may believe that it leads."""
        self.cluster.net.cut_from_peers(node.place, on=True)
        try:
            await self._wait()
        finally:
            self.cluster.net.cut_from_peers(node.place, on=False)

    async def _wait(self) -> None:
        await asyncio.sleep(self.random.uniform(*self.random.choice([_SHORT, _LONG])))
