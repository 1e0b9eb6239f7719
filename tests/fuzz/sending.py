"""Streams: many items in order onto one partition, in as few batches as they fit into."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from aiokafka.errors import KafkaConnectionError

from tests.fuzz.case import Item
from tests.rig.batches import Raw, Wire, batch, produce, records

_ROOM = 60_000
_MANY = 400


@dataclass(frozen=True)
class Sent:
    """Where it lies, or None: the broker did not take it."""

    offset: int | None
    at: float


@dataclass
class _Stream:
    wire: Wire
    topic: str
    partition: int
    sent: list[Sent] = field(default_factory=list[Sent])
    waiting: list[Raw] = field(default_factory=list[Raw])
    size: int = 0

    async def put(self, raw: Raw) -> None:
        """Send it with its neighbours, or alone where it needs the room."""
        size = len(raw.encode(_MANY))
        if self.size + size > _ROOM or len(self.waiting) >= _MANY:
            await self.flush()
        self.waiting.append(raw)
        self.size += size

    async def flush(self) -> None:
        if self.waiting:
            at, count = monotonic(), len(self.waiting)
            data = batch(count, records(self.waiting))
            code, base = await self.wire.produce(self.topic, self.partition, data)
            self.sent += [Sent(None if code else base + n, at) for n in range(count)]
        self.waiting.clear()
        self.size = 0

    async def as_it_is(self, data: bytes) -> None:
        """Over a connection of its own: what the broker cannot parse, it hangs up on.

        It unpacks what it takes, which is no time of the service.
        """
        await self.flush()
        try:
            servers, partition = self.wire.servers, self.partition
            code, base = await produce(servers, self.topic, data, partition=partition)
        except KafkaConnectionError:
            self.sent.append(Sent(None, monotonic()))
        else:
            self.sent.append(Sent(None if code else base, monotonic()))


async def send_all(wire: Wire, topic: str, partition: int, items: Sequence[Item]) -> list[Sent]:
    """Send them; what is a batch already goes as it is, a deed is done."""
    stream = _Stream(wire, topic, partition)
    for item in items:
        match item.what:
            case Raw():
                await stream.put(item.what)
            case bytes():
                await stream.as_it_is(item.what)
            case deed:
                await stream.flush()
                stream.sent.append(Sent(0, monotonic()))
                await deed(wire.servers, topic, partition)
    await stream.flush()
    return stream.sent
