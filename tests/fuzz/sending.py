"""Streams: many items in order onto one partition, as few batches as they fit into."""

from collections.abc import Sequence
from dataclasses import dataclass
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


async def send_all(wire: Wire, topic: str, partition: int, items: Sequence[Item]) -> list[Sent]:
    """Send them; what is a batch already goes as it is, a deed is done."""
    sent: list[Sent] = []
    waiting: list[Raw] = []
    room = 0

    async def flush() -> None:
        nonlocal room
        if waiting:
            at = monotonic()
            data = batch(len(waiting), records(waiting))
            code, base = await wire.produce(topic, partition, data)
            sent.extend(Sent(None if code else base + n, at) for n in range(len(waiting)))
        waiting.clear()
        room = 0

    for item in items:
        if isinstance(item.what, bytes):
            await flush()
            sent.append(await _as_it_is(wire.servers, topic, partition, item.what))
            continue
        if not isinstance(item.what, Raw):
            await flush()
            sent.append(Sent(0, monotonic()))
            await item.what(wire.servers, topic, partition)
            continue
        size = len(item.what.encode(_MANY))
        if room + size > _ROOM or len(waiting) >= _MANY:
            await flush()
        waiting.append(item.what)
        room += size
    await flush()
    return sent


async def _as_it_is(servers: str, topic: str, partition: int, data: bytes) -> Sent:
    """Over a connection of its own: what the broker cannot parse, it hangs up on."""
    at = monotonic()
    try:
        code, base = await produce(servers, topic, data, partition=partition)
    except KafkaConnectionError:
        return Sent(None, at)
    return Sent(None if code else base, at)
