"""Sealed commands, altered and sent ahead of the original: no effect, and not in its way."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, permutations

import pytest

from authbus import Registered, RegisterUser
from authbus.topics import DEAD_LETTERS
from tests.rig.crowd import PASSWORD
from tests.rig.dumps import dumped, ends_of
from tests.rig.fifty import Fifty, all_had_their_effect, fifty
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.world import World

ORIGINAL, OTHERS = 0, 5
AT_ONCE = 500
# They repeat nothing of what is sealed, and nothing is decided by them.
FREE = {"content-type"}


def other(byte: int) -> int:
    """Another byte of the same kind, so that what is read is read as far as it ever is."""
    char = chr(byte)
    for kind in ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        if char in kind:
            return ord(kind[(kind.index(char) + 1) % len(kind)])
    return ord("a")


def altered(data: bytes, every: int, first: int) -> Iterator[bytes]:
    """The same with one byte changed: each in turn, or one of so many."""
    for at in range(first % every, len(data), every):
        yield data[:at] + bytes([other(data[at])]) + data[at + 1 :]


def with_an_altered_seal(drafts: Sequence[Draft], every: int) -> Iterator[Draft]:
    for number, draft in enumerate(drafts):
        for value in altered(draft.value, every, number):
            yield draft.but(value=value)


def with_an_altered_header(drafts: Sequence[Draft], every: int) -> Iterator[Draft]:
    for number, draft in enumerate(drafts):
        for name, value in draft.headers:
            if name not in FREE:
                for changed in altered(value or b"", min(every, len(value or b"")), number):
                    yield draft.with_header(name, changed)


def transplanted(drafts: Sequence[Draft], _every: int) -> Iterator[Draft]:
    """Each one's seal under the headers of each other, where that seal belongs."""
    for one, another in permutations(drafts, 2):
        yield one.but(value=another.value, topic=another.topic)


async def sent_ahead(world: World, drafts: Iterable[Draft]) -> int:
    """Send these on other partitions than the originals', and wait until all are finished."""
    left, count = iter(drafts), 0
    while some := list(islice(left, AT_ONCE)):
        await asyncio.gather(
            *(
                world.web.send(draft, partition=ORIGINAL + 1 + (count + number) % OTHERS)
                for number, draft in enumerate(some)
            )
        )
        count += len(some)
    await all_finished(world, within=600)
    return count


async def all_work(of: Fifty) -> bool:
    """Whether the originals, sent on a partition of their own, have each their one effect."""
    before = len(await of.world.events())
    await asyncio.gather(*(of.world.web.send(each, partition=ORIGINAL) for each in of.drafts))
    heard = await asyncio.gather(*(of.world.web.heard(each, 1, within=60) for each in of.drafts))
    caused = [each.causation_id for each in (await of.world.events())[before:]]
    assert sorted(caused) == sorted(each.id for each in of.drafts)
    return all_had_their_effect([answer for (answer,) in heard])


FULL = [pytest.mark.nightly, pytest.mark.timeout(1200)]
# Fewer than fifty: every place of what all seals have alike is altered in one of them.
CASES = [
    pytest.param(with_an_altered_seal, 47, marks=pytest.mark.slow),
    pytest.param(with_an_altered_seal, 1, marks=FULL),
    pytest.param(with_an_altered_header, 47, marks=pytest.mark.slow),
    pytest.param(with_an_altered_header, 1, marks=FULL),
    pytest.param(transplanted, 1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("make", "every"), CASES)
async def test_what_is_altered_of_fifty_commands_has_no_effect_and_the_originals_have_theirs(
    world: World, make: Callable[[Sequence[Draft], int], Iterator[Draft]], every: int
) -> None:
    async with world.consuming():
        of = await fifty(world)
        before = await dumped(world.database)

        count = await sent_ahead(world, make(of.drafts, every))

        print(f"{count} altered records ahead of {len(of.drafts)}")  # noqa: T201
        buried = await ends_of(world.servers, DEAD_LETTERS, world.namespace)
        assert await dumped(world.database) == before
        assert not [each for each in of.drafts if world.web.answers(each.id)]
        assert sum(buried.values()) == count > 2 * len(of.drafts)
        assert await all_work(of)


UNSEALED = [
    ("content-type", b"text/plain"),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("kafka_correlationId", b"another"),
    ("kafka_replyPartition", b"\0\0\0\7"),
    ("ce_subject", b"eve"),
    ("x", b"y"),
]


async def test_a_copy_sent_first_that_differs_in_nothing_sealed_is_the_command_itself(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        for number, (name, value) in enumerate(UNSEALED):
            email = f"user{number}@example.com"
            draft = web.draft(RegisterUser(email=email, password=PASSWORD))
            copies = [draft.with_header(name, value), draft.but(key=b"another"), draft]
            for place, each in enumerate(copies):
                await web.send(each, partition=place)
            answers = await web.heard(draft, len(copies))
            assert isinstance(answers[0], Registered)
            assert answers == [answers[0]] * len(copies)

    assert len(await world.events()) == len(UNSEALED)
