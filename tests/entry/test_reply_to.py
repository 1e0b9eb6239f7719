"""An answer that is asked for on a topic of others: nothing is written there."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import SecretStr

from authbus import LogIn
from authbus.topics import CREDENTIALS, DEAD_LETTERS, TOPICS, Topic, replies
from authbus_service.core.security.hash_pool import HashPool
from tests.rig.dumps import ends_of
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.world import World

COMMAND = LogIn(email="ana@example.com", password=SecretStr("not the right one"))
OWN = replies("web")
ALL = (*TOPICS, replies("demo"), replies("shell"))
QUIET = [each for each in ALL if each not in (CREDENTIALS, DEAD_LETTERS)]


class Slow(HashPool):
    """A pool whose queue is longer than any command may wait."""

    @property
    def wait_seconds(self) -> float:
        return 3600.0


def misdirected(world: World) -> Iterator[Draft]:
    """Commands whose answer is asked for on each topic that is not their client's, in each way."""
    web = world.web
    for topic in ALL:
        name = topic.name(world.namespace)
        yield web.draft(COMMAND, reply_to=name)
        yield web.draft(COMMAND, reply_to=name, reply_partition=0)
        yield web.draft(COMMAND).with_header("kafka_replyTopic", name.encode())
        yield web.draft(COMMAND, reply_to=None).with_header("kafka_replyTopic", name.encode())
        yield web.draft(COMMAND).with_header("reply_to", name.encode())
        yield web.draft(COMMAND, reply_to=None).with_header("reply_to", name.encode())
    for elsewhere in ("other.events.v1", "__consumer_offsets", "__transaction_state"):
        yield web.draft(COMMAND, reply_to=elsewhere)


async def written(world: World, *topics: Topic) -> int:
    return sum(
        [sum((await ends_of(world.servers, each, world.namespace)).values()) for each in topics]
    )


async def test_no_answer_is_written_to_a_topic_that_is_not_its_clients(world: World) -> None:
    drafts = list(misdirected(world))
    async with world.consuming():
        for draft in drafts:
            await world.web.send(draft)
        await all_finished(world)

    assert await written(world, *QUIET, OWN) == 0
    assert await written(world, DEAD_LETTERS) == len(drafts) > 60
    assert await world.rows("SELECT id FROM inbox") == []


async def test_what_is_shed_unopened_is_answered_on_its_clients_topic_wherever_it_asks(
    world: World,
) -> None:
    drafts = list(misdirected(world))
    hashes = Slow(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        for draft in drafts:
            await world.web.send(draft)
        await all_finished(world)

    hashes.close()
    assert await written(world, *QUIET, DEAD_LETTERS) == 0
    assert await written(world, OWN) == len(drafts)
