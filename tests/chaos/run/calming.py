"""After the harm: all heals, everything is answered and said, and then nothing is left to do."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from authbus.topics import COMMAND_TOPICS
from tests.chaos.checker.linearizing import NEVER
from tests.chaos.run.again import close_the_audit
from tests.chaos.run.client import Client
from tests.chaos.run.looker import Looker, read_ends
from tests.chaos.run.members import Member
from tests.chaos.run.runs import ANSWERED_SECONDS, Run
from tests.chaos.run.stage import Stage

_AT_REST_SECONDS = 60.0
# Longer than a transaction may hang.
_SETTLED_SECONDS = 20.0
# One that failed, or whose sender was killed, waits for minutes; at rest none may be left.
_MAILS_ARE_DUE = "UPDATE mails SET due_at = clock_timestamp() WHERE due_at > clock_timestamp()"


async def calm(
    made: Run,
    stage: Stage,
    members: Sequence[Member],
    clients: Sequence[Client],
    looker: Looker,
) -> float:
    """Let all heal, be answered and be said.

    Returns how many seconds after the heal the last transaction had ended that was open then.
    """
    made.healed = monotonic()
    settling = asyncio.create_task(looker.until_stable())
    try:
        await _heal(members)
        await _until_answered(made, clients)
        await close_the_audit(stage)
        await at_rest(stage)
        left = made.healed + _SETTLED_SECONDS - monotonic()
        await asyncio.wait([settling], timeout=max(0.0, left))
        return settling.result() - made.healed if settling.done() else NEVER
    finally:
        settling.cancel()
        await asyncio.wait([settling])


async def _heal(members: Sequence[Member]) -> None:
    """From now on nobody harms anybody; a process that ended by itself may still be starting."""
    await asyncio.gather(*(each.until_up(ANSWERED_SECONDS) for each in members))


async def _until_answered(made: Run, clients: Sequence[Client]) -> None:
    """Go on with everything that has no answer yet, as its client would."""
    open_ = [
        (client, asked)
        for client in clients
        for asked in client.asked.values()
        if asked.decided is None
    ]
    left = made.healed + ANSWERED_SECONDS - monotonic()
    await asyncio.gather(*(client.persist(asked, patience=left) for client, asked in open_))
    made.counts["pending at the heal"] = len(open_)
    for _, asked in open_:
        if asked.returned is None:
            made.unanswered.append(str(asked.draft.id))
        else:
            made.waits.append(max(0.0, asked.returned - made.healed))


async def at_rest(stage: Stage) -> None:
    """Wait until all is finished and said, for as long as it may take."""
    async with stage.database() as db:
        await db.execute(_MAILS_ARE_DUE)
    with suppress(TimeoutError):
        async with asyncio.timeout(_AT_REST_SECONDS):
            while not await _is_at_rest(stage):  # noqa: ASYNC110 - a server wakes nobody
                await asyncio.sleep(0.2)


async def _is_at_rest(stage: Stage) -> bool:
    async with stage.database() as db:
        waiting = await db.fetchval(
            "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM mails)"
        )
        rows = await db.fetch("SELECT topic, partition, next_offset FROM fence")
    fence = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    ends = await read_ends(stage.servers, COMMAND_TOPICS)
    return not waiting and all(fence.get(place, 0) >= end for place, end in ends.items())
