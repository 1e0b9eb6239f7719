"""The tables are what the events of second factors say."""

from dataclasses import asdict
from functools import partial
from uuid import UUID

from pydantic import SecretStr

from authbus import LoggedIn
from authbus.second_factor import CompleteLogIn, DisableTotp, ResetSecondFactor
from authbus_service.auth.rows import Rows
from tests.integration.consumers.test_fold import Fold, by_id, row, tables, told
from tests.rig.authenticator import challenged, confirmed, started, stepped_up
from tests.rig.crowd import Crowd, email
from tests.rig.opened import opened
from tests.rig.operators import by_operator
from tests.rig.world import World


def reset(user_id: UUID, proof: SecretStr) -> ResetSecondFactor:
    return ResetSecondFactor(access_token=proof, user_id=user_id)


async def lives(world: World) -> None:
    """Second factors of four users: begun, used, given up, reset."""
    crowd = Crowd(world)
    sessions = await crowd.with_sessions(4)
    apps = [await started(world, each) for each in sessions]
    for session, app in list(zip(sessions, apps, strict=True))[1:]:
        await confirmed(world, session, app)
    gone = DisableTotp(access_token=sessions[3].access_token, code=apps[3].code(1))
    await world.web.ask(world.web.draft(gone))
    for user, code in ((1, apps[1].code(1)), (2, apps[2].recovery_code())):
        challenge = await challenged(world, email(user))
        half = CompleteLogIn(challenge=challenge, code=code, device="a phone")
        assert isinstance(await world.web.ask(world.web.draft(half)), LoggedIn)
    await challenged(world, email(1))
    await stepped_up(world, sessions[2], apps[2].recovery_code())
    again = await started(world, sessions[3])
    await confirmed(world, sessions[3], again)
    await world.web.ask(by_operator(world, partial(reset, sessions[3].user_id)))


async def test_second_factors_fold_into_the_tables(world: World) -> None:
    async with world.consuming():
        await lives(world)

    fold = Fold(await opened(world), {"first": world.hashes.hasher}, Rows())
    for event, at, _ in await told(world):
        fold.add(event, at, "first")

    users, sessions_, _, codes = await tables(world)
    factors = await world.rows("SELECT * FROM factors ORDER BY user_id")
    assert sum(user["second_factor"] for user in users) == 2
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    assert sessions_ == by_id(
        asdict(each) | {"amr": " ".join(each.amr)} for each in fold.rows.sessions.known.values()
    )
    assert len(sessions_) == 6
    assert codes == fold.codes
    assert sum(each["purpose"] == "log_in" for each in codes) == 3
    assert len(factors) == 3
    assert factors == [asdict(each) for _, each in sorted(fold.rows.factors.known.items())]
