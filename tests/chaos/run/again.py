"""All commands once more, as an operator replays them, while the services run."""

import asyncio
import hashlib
import json
from collections import Counter

from authbus.topics import COMMAND_TOPICS, EVENTS, Topic
from authbus_service.consumers.auditing import close_minutes
from authbus_service.core import clock
from authbus_service.core.database import connect
from authbus_service.core.exit_status import Exit
from tests.chaos.checker.history import Replay, State
from tests.chaos.run import gathering
from tests.chaos.run.looker import short
from tests.chaos.run.stage import Stage
from tests.rig.command_line import authbus
from tests.rig.dumps import dumped

# So long the service has for what was sent; a dead letter among it stays one.
_WAIT_SECONDS = "20"


async def replayed(stage: Stage) -> tuple[Replay, Counter[str]]:
    """Replay every topic of commands, all at once; also what the summaries count.

    Raises AssertionError when the command line fails.
    """
    before, counted = await _state(stage), Counter[str]()
    for each in await asyncio.gather(*(_replayed(stage, topic) for topic in COMMAND_TOPICS)):
        counted.update(each)
    return Replay("live", before, await _state(stage)), counted


async def _replayed(stage: Stage, topic: Topic) -> dict[str, int]:
    """What the summary of one topic's replay counts."""
    status, out, err = await authbus(
        stage.settings,
        *("replay", "commands", topic.suffix, "--from", "0", "--wait", _WAIT_SECONDS),
    )
    assert status in (0, Exit.LEFT), err
    return {name: count for name, count in json.loads(out).items() if type(count) is int}


async def close_the_audit(stage: Stage) -> None:
    """Close all minutes of failures, as a service does with each two minutes later.

    A minute that is closed while all is replayed would look like the replay's doing.
    """
    database = connect(stage.stack.addresses.database_url)
    try:
        await close_minutes(database, before=clock.now())
    finally:
        await database.close()


async def _state(stage: Stage) -> State:
    database = connect(stage.stack.addresses.database_url)
    try:
        rows = await dumped(database)
    finally:
        await database.close()
    said = await gathering.on_topics(stage.servers, [EVENTS], "read_committed")
    return State(
        tables={
            name: hashlib.sha256("\n".join(each).encode()).hexdigest()
            for name, each in rows.items()
        },
        events=dict(Counter((short(each.topic), each.partition) for each in said)),
    )
