"""What waits for another's lock: never in a circle, and it goes by what is true afterwards."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import text

from authbus.commands import AnyCommand, EndAllSessions, GrantRole, RegisterUser
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import prepare
from authbus_service.consumers.group import Committed
from authbus_service.consumers.job import Job
from tests.integration.consumers.racing import PASSWORD, TOKEN, Race
from tests.rig.made import a_job, a_request

LOCK = "SELECT 1 FROM users WHERE id = :user_id FOR UPDATE"
END = "UPDATE sessions SET ended_at = now(), end_reason = 'logout' WHERE user_id = :user_id"
CLAIM = "INSERT INTO emails SELECT 'm@example.com', id FROM users WHERE id = :user_id"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@asynccontextmanager
async def done(race: Race, who: Acting, *statements: str) -> AsyncGenerator[None]:
    """Somebody else's transaction, with what it did to this user; it commits behind the block."""
    async with race.groups[0].database.transaction() as db:
        for each in statements:
            await db.execute(text(each), {"user_id": who.user_id})
        yield


async def asked(race: Race, command: AnyCommand, acting: Acting) -> Job:
    """This user's command, prepared."""

    def token(_: str) -> Acting:
        return acting

    tools = replace(race.groups[0].tools, token=token)
    request = a_request(command)
    return a_job(request, await prepare(request, tools))


async def waiting(race: Race, *groups: list[Job]) -> "asyncio.Future[list[Committed]]":
    """Each of these groups in a transaction that waits for another one's lock."""
    grouping = race.groups[0].grouping
    together = asyncio.gather(*(grouping.together(jobs, wait=True) for jobs in groups))
    async with asyncio.timeout(5):
        while await race.rows(WAITING) != [len(groups)]:  # noqa: ASYNC110 - of the server
            await asyncio.sleep(0.02)
    return together


async def test_two_that_wait_for_the_same_users_never_dead_lock(race: Race) -> None:
    (_, ana), (_, bob) = await race.user(0), await race.user(1)
    to_ana, to_bob = (
        GrantRole(access_token=TOKEN, user_id=each.user_id, role="clerk") for each in (ana, bob)
    )
    jobs = [await asked(race, to_bob, ana)], [await asked(race, to_ana, bob)]

    async with done(race, ana, LOCK), done(race, bob, LOCK):
        together = await waiting(race, *jobs)

    assert [len(each.answers) for each in await together] == [1, 1]


async def test_two_that_want_the_same_addresses_never_dead_lock(race: Race) -> None:
    _, ana = await race.user(0)
    wanted = [RegisterUser(email=f"{each}@example.com", password=PASSWORD) for each in "amz"]
    one = [await race.groups[0].job(each) for each in wanted]
    other = [await race.groups[0].job(each) for each in reversed(wanted)]

    async with done(race, ana, CLAIM):
        together = await waiting(race, one, other)

    answers = [each.answer for group in await together for each in group.answers.values()]
    assert sum(isinstance(each, Registered) for each in answers) == 2
    assert answers.count(Rejected.because(Code.EMAIL_TAKEN)) == 4


async def test_a_session_that_ends_while_its_user_is_waited_for_is_over(race: Race) -> None:
    _, ana = await race.user(0)
    job = await asked(race, EndAllSessions(access_token=TOKEN), ana)

    async with done(race, ana, LOCK, END):
        together = await waiting(race, [job])

    (committed,) = await together
    assert committed.answers[job].answer == Rejected.because(Code.INVALID_TOKEN)
