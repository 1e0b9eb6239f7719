"""Dead letters that no service wrote, and those of a topic that has more partitions than before."""

import tracemalloc
from hashlib import sha256
from uuid import UUID

from aiokafka import AIOKafkaProducer

from authbus.envelope import own_headers
from authbus.message import Message
from authbus.state import Closing, DeadLetter, DeadLetterClosed, DeadLetterReason
from authbus.topics import CREDENTIALS, DEAD_LETTERS
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.replay.outcomes import Asked, Knowledge, Outcomes
from authbus_service.replay.summary import Summary
from tests.rig.crowd import Crowd
from tests.rig.redriving import buried, open_letters, redriven
from tests.rig.world import World


async def put(world: World, told: Message, *, partition: int = 0) -> UUID:
    """Write this there, under the key that all of these have; returns its id."""
    id_ = new_id()
    headers = own_headers(told.wire_type(), id=id_, time=clock.now(), subject="k")
    async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
        await producer.send_and_wait(
            DEAD_LETTERS.name(world.namespace),
            told.to_bytes(),
            b"k",
            partition,
            headers=headers,  # pyright: ignore[reportArgumentType] - theirs is invariant
        )
    return id_


def a_letter(partition: int) -> DeadLetter:
    return DeadLetter(
        topic=CREDENTIALS.suffix,
        partition=partition,
        offset=0,
        appended_at=clock.now(),
        size=1,
        digest=sha256(b"?").hexdigest(),
        reason=DeadLetterReason.FAILED,
    )


async def test_a_letter_of_a_partition_that_is_not_there_is_gone_and_stops_no_other(
    world: World,
) -> None:
    await put(world, a_letter(99))
    await put(world, a_letter(2**40))
    await buried(world, *Crowd(world).registers([0]))

    assert await redriven(world) == {"gone": 2, "done": 1}


async def test_a_letter_stays_closed_wherever_its_closing_lies(world: World) -> None:
    for here, there in ((0, 1), (1, 0)):
        letter_id = await put(world, a_letter(0), partition=here)
        closed = DeadLetterClosed(letter_id=letter_id, how=Closing.DISCARDED)
        await put(world, closed, partition=there)
    left = await put(world, a_letter(0))

    assert [each.id for each in await open_letters(world)] == [left]


async def test_a_letter_of_a_stretch_costs_no_memory_however_long_it_says_it_is(
    world: World,
) -> None:
    summary = Summary(new_id(), "commands", dry_run=False)
    followed = Outcomes(world.database, CREDENTIALS.suffix, clock.now(), summary)
    for offset in (4, 5, 10_000_000):
        asked = Asked(new_id(), b"digest", clock.now())
        followed.sent(asked, Knowledge.UNKNOWN, (0, offset))
    stretch = {"first_offset": 5, "offset": 3_000_000}

    tracemalloc.start()
    await followed.settle([a_letter(0).model_copy(update=stretch)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (summary.dead_again, summary.waiting) == (1, 2)
    assert most < 10_000_000
