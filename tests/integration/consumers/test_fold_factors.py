"""The tables are what the events of second factors say."""

from dataclasses import asdict

from authbus.second_factor import ConfirmTotp, DisableTotp
from authbus_service.auth.rows import Rows
from tests.integration.consumers.test_fold import Fold, by_id, row, tables, told
from tests.rig.authenticator import started
from tests.rig.crowd import Crowd
from tests.rig.opened import opened
from tests.rig.world import World


async def test_second_factors_fold_into_the_tables(world: World) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        sessions = await crowd.with_sessions(4)
        apps = [await started(world, each) for each in sessions]
        for session, app in list(zip(sessions, apps, strict=True))[1:]:
            confirm = ConfirmTotp(access_token=session.access_token, code=app.code())
            await world.web.ask(world.web.draft(confirm))
        gone = DisableTotp(access_token=sessions[3].access_token, code=apps[3].code(1))
        await world.web.ask(world.web.draft(gone))

    fold = Fold(await opened(world), {"first": world.hashes.hasher}, Rows())
    for event, at, _ in await told(world):
        fold.add(event, at, "first")

    users, sessions_, _, _ = await tables(world)
    factors = await world.rows("SELECT * FROM factors ORDER BY user_id")
    assert [user["second_factor"] for user in users] == [False, True, True, False]
    assert users == by_id(row(each) for each in fold.rows.users.locked.values())
    assert {each["id"] for each in sessions_} == set(fold.rows.sessions.known)
    assert len(factors) == 3
    assert factors == [asdict(each) for _, each in sorted(fold.rows.factors.known.items())]
