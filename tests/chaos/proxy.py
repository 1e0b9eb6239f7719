"""A TCP proxy before Kafka's brokers that delays, holds, loses and cuts, on demand.

It parses requests only far enough to name them, and changes no byte. So each broker must send
clients back to its door by itself: give it a listener of its own whose advertised port is
`Door.port`. Clients without TLS or SASL only.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Self, TypedDict, Unpack

from tests.chaos.faults import Fault, Held, Match, Rule, Side
from tests.chaos.link import Link
from tests.chaos.wire import Request

_HOST = "127.0.0.1"
_BUFFER_BYTES = 1_048_576


class Where(TypedDict, total=False):
    """The fields of `Match` but for `api`, as keywords."""

    client_id: str | None
    containing: bytes
    side: Side
    skip: int
    times: int | None
    door: int | None


@dataclass
class Door:
    """Where the clients of one broker come in, on the loopback; port 0 is any free one."""

    broker_port: int
    broker_host: str = _HOST
    port: int = 0


class Proxy:
    """Stands between clients and brokers, a door for each; `async with` opens and closes it.

    Once it is open its doors know their ports. The brokers need not run yet. Order on one
    connection is always kept, as TCP keeps it: behind a held request all later ones of that
    connection wait, other connections go on. `counts` has one entry for each fault that really
    struck, `seen` one for each request, by its API number.
    """

    def __init__(self, *doors: Door) -> None:
        """Take the doors; a rule names one of them by its place, from 0."""
        self.doors = doors
        self.counts: Counter[Fault] = Counter()
        self.seen: Counter[int] = Counter()
        self._refusing = False
        self._rules: list[Rule] = []
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        """Listen at every door."""
        for number, door in enumerate(self.doors):
            server = await asyncio.start_server(
                partial(self._serve, number), _HOST, door.port, limit=_BUFFER_BYTES
            )
            door.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and drop every connection, with what is held on it."""
        for server in self._servers:
            server.close()
        running = tuple(self._links.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def hold(self, api: int | None = None, **where: Unpack[Where]) -> Held:
        """Keep matching requests back until `release()`; also past their client's close.

        With `side=Side.RESPONSE` the broker acts on the request, and its answer is kept back.
        """
        held = Held(Fault.HOLD, Match(api=api, **where))
        self._rules.append(held)
        return held

    def delay(self, seconds: float, api: int | None = None, **where: Unpack[Where]) -> Rule:
        """Let matching requests (or answers) wait `seconds` each."""
        return self._add(Rule(Fault.DELAY, Match(api=api, **where), seconds))

    def drop(self, api: int | None = None, **where: Unpack[Where]) -> Rule:
        """Lose a request, or with `side=Side.RESPONSE` the answer to one that is applied.

        All that follows on that connection in that direction is lost with it: a TCP stream has
        no holes. With `times=None` this is a link that is dead one way.
        """
        return self._add(Rule(Fault.DROP, Match(api=api, **where)))

    def half_close(self, api: int | None = None, **where: Unpack[Where]) -> Rule:
        """End the stream towards the broker (or the client) instead of passing a frame on."""
        return self._add(Rule(Fault.HALF_CLOSE, Match(api=api, **where)))

    def cut_at(self, api: int | None = None, **where: Unpack[Where]) -> Rule:
        """Reset the connection before the request is applied, or in place of its answer."""
        return self._add(Rule(Fault.CUT, Match(api=api, **where)))

    def cut(self, client_id: str | None = None) -> int:
        """Reset all connections now (or one client's), and say how many.

        What a rule holds stays held: its way to the broker is kept until it is released.
        """
        links = [one for one in self._links if client_id in (None, one.client_id) and one.cut()]
        self.counts[Fault.CUT] += len(links)
        return len(links)

    def refuse(self, *, on: bool = True) -> None:
        """Reset new connections at once, as a port without a broker would; `on=False` ends it."""
        self._refusing = on

    def calm(self) -> None:
        """Lift every rule, release all that is held and accept connections again."""
        for rule in self._rules:
            rule.lift()
        self._rules.clear()
        self._refusing = False

    def _add(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    def _judge(self, door: int, request: Request, side: Side) -> Rule | None:
        if side is Side.REQUEST:
            self.seen[request.api] += 1
        there = (rule for rule in self._rules if rule.match.door in (None, door))
        return next((rule for rule in there if rule.takes(request, side)), None)

    async def _serve(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        door = self.doors[number]
        if self._refusing:
            self.counts[Fault.REFUSE] += 1
            writer.transport.abort()
            return
        try:
            broker = await asyncio.open_connection(
                door.broker_host, door.broker_port, limit=_BUFFER_BYTES
            )
        except OSError:
            writer.transport.abort()
            return
        link = Link((reader, writer), broker, partial(self._judge, number), self.counts)
        task = asyncio.create_task(link.run())
        self._links[link] = task
        task.add_done_callback(lambda _: self._links.pop(link))
