"""Secrets of service accounts on real servers: replaced with an overlap, over in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    Code,
    CreateServiceAccount,
    EndReason,
    ForcePasswordReset,
    GetProfile,
    GrantRole,
    LogInService,
    Rejected,
    RotateServiceSecret,
    ServiceLoggedIn,
    ServiceSecret,
    ServiceSecretRotated,
    SessionEnded,
    UserProfile,
)
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from tests.rig.crowd import Crowd
from tests.rig.machines import NAME, ask, by_proof, log_in, made, rotated
from tests.rig.world import World

_COPIES = text(
    "INSERT INTO sessions SELECT"
    " (jsonb_populate_record(one, jsonb_build_object('id', gen_random_uuid()))).*"
    " FROM sessions one, generate_series(1, :count)"
)
NO = Rejected.because(Code.INVALID_CREDENTIALS)
KEEPER = Roles({**BUILT_IN.declared, "keeper": frozenset({"services:write"})})


async def test_two_secrets_overlap_for_as_long_as_is_asked(world: World) -> None:
    async with world.consuming():
        first = await made(world)
        second = await rotated(world, first.user_id, 24)
        overlapping = [await log_in(world, each) for each in (first, second)]
        third = await rotated(world, first.user_id, 0)
        after = [await log_in(world, each) for each in (first, second, third)]

    assert [isinstance(each, ServiceLoggedIn) for each in overlapping] == [True, True]
    assert after[:2] == [NO, NO]
    assert isinstance(after[2], ServiceLoggedIn)
    told = [each for each in await world.events() if isinstance(each, ServiceSecretRotated)]
    now = datetime.now(UTC)
    assert [each.former_until < now for each in told] == [False, True]


async def test_sessions_end_with_secrets_that_are_void_at_once_and_go_on_beside_an_overlap(
    world: World,
) -> None:
    async with world.consuming():
        first = await made(world)
        session = await log_in(world, first)
        assert isinstance(session, ServiceLoggedIn)
        await rotated(world, first.user_id, 1)
        beside = await ask(world, GetProfile(access_token=session.access_token))
        await rotated(world, first.user_id, 0)
        after = await ask(world, GetProfile(access_token=session.access_token))

    assert isinstance(beside, UserProfile)
    assert after == Rejected.because(Code.INVALID_TOKEN)
    (ended,) = [each for each in await world.events() if isinstance(each, SessionEnded)]
    assert (ended.session_id, ended.reason) == (session.session_id, EndReason.SECRET_ROTATED)
    assert ended.actor == "operator"


async def test_a_machine_that_logs_in_again_and_again_is_refused_at_a_thousand_sessions(
    world: World,
) -> None:
    async with world.consuming():
        service = await made(world)
        first = await log_in(world, service)
        async with world.database.transaction() as db:
            await db.execute(_COPIES, {"count": 998})
        last = await log_in(world, service)
        beyond = await log_in(world, service)
        await rotated(world, service.user_id, 0)
        anew = await log_in(world, await rotated(world, service.user_id, 0))

    assert isinstance(first, ServiceLoggedIn)
    assert isinstance(last, ServiceLoggedIn)
    assert beyond == Rejected.because(Code.TOO_SOON)
    assert isinstance(anew, ServiceLoggedIn)


async def test_a_secret_is_over_with_its_year_and_in_time_with_its_overlap(world: World) -> None:
    async with world.consuming():
        one, other = await made(world), await made(world)
        newer = await rotated(world, other.user_id, 1)
        await moved(world, timedelta(hours=2))
        an_hour_later = [await log_in(world, each) for each in (one, other, newer)]
        await moved(world, timedelta(days=365))
        a_year_later = [await log_in(world, each) for each in (one, newer)]

    assert isinstance(an_hour_later[0], ServiceLoggedIn)
    assert an_hour_later[1] == NO
    assert isinstance(an_hour_later[2], ServiceLoggedIn)
    assert a_year_later == [NO, NO]


async def moved(world: World, by: timedelta) -> None:
    """Let time pass for every secret."""
    async with world.database.transaction() as db:
        await db.execute(
            text("UPDATE codes SET expires_at = expires_at - CAST(:by AS interval)"), {"by": by}
        )


async def test_wrong_secrets_keep_the_right_one_out_no_more_than_they_are_told(
    world: World,
) -> None:
    crowd, wrong = Crowd(world), SecretStr("none of this is known")
    async with world.consuming():
        service = await made(world)
        guess = LogInService(user_id=service.user_id, secret=wrong)
        guesses = await crowd.asked([world.web.draft(guess) for _ in range(50)])
        answer = await log_in(world, service)

    assert guesses == [NO] * 50
    assert isinstance(answer, ServiceLoggedIn)
    rows = await world.rows(
        "SELECT count(*) AS n FROM outbox WHERE aggregatetype = 'audit.v1' "
        "AND convert_from(payload, 'UTF8') LIKE '%invalid_credentials%'"
    )
    assert 1 <= rows[0]["n"] <= 10


async def test_nobody_climbs_by_the_secret_of_a_machine_that_may_do_more(world: World) -> None:
    crowd = Crowd(world)
    async with replace(world, roles=KEEPER).consuming():
        service = await made(world)
        await by_proof(
            world, lambda by: GrantRole(access_token=by, user_id=service.user_id, role="admin")
        )
        (session,) = await crowd.with_sessions(1)
        async with world.database.transaction() as db:
            await db.execute(text("UPDATE users SET roles = 'keeper' WHERE email <> ''"))
        token = session.access_token
        climbing = await ask(
            world, RotateServiceSecret(access_token=token, user_id=service.user_id)
        )
        own = await ask(world, CreateServiceAccount(access_token=token, name=NAME))
        forced = await by_proof(
            world, lambda by: ForcePasswordReset(access_token=by, user_id=service.user_id)
        )
        person = await by_proof(
            world, lambda by: RotateServiceSecret(access_token=by, user_id=session.user_id)
        )

    assert climbing == Rejected.because(Code.FORBIDDEN)
    assert isinstance(own, ServiceSecret)
    assert forced == Rejected.because(Code.USER_UNKNOWN)
    assert person == Rejected.because(Code.USER_UNKNOWN)
