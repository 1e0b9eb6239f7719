"""Second factors and machines in the fake, as time passes."""

from datetime import UTC, datetime, timedelta

import pytest

from authbus import (
    AuthClient,
    AuthRejected,
    SecondFactorNeeded,
    Session,
    SnapshotEnds,
    TokenRevoked,
    UserState,
)
from authbus.state import UserKind
from authbus.testing import FakeAuthbus, Settings

EMAIL, PASSWORD, NEW = "ana@example.com", "correct horse battery", "another horse battery"


@pytest.fixture
def bus() -> FakeAuthbus:
    return FakeAuthbus()


async def enrolled(bus: FakeAuthbus, auth: AuthClient, email: str = EMAIL) -> tuple[Session, str]:
    """A session that enabled a second factor, whose secret this is."""
    await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    secret = (await auth.factors.start_totp(session.access_token, PASSWORD)).secret
    await auth.factors.confirm_totp(session.access_token, bus.app_code(secret))
    return session, secret


async def administrator(bus: FakeAuthbus, auth: AuthClient) -> str:
    """A token of one."""
    user = await auth.register("root@example.com", PASSWORD)
    bus.grant(user.user_id, "admin")
    return (await auth.log_in("root@example.com", PASSWORD)).access_token


async def challenge(auth: AuthClient) -> SecondFactorNeeded:
    with pytest.raises(SecondFactorNeeded) as needed:
        await auth.log_in(EMAIL, PASSWORD)
    return needed.value


async def test_a_challenge_is_good_for_five_minutes(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        _, secret = await enrolled(bus, auth)
        begun = await challenge(auth)
        bus.forward(minutes=5)
        with pytest.raises(AuthRejected, match="challenge_invalid"):
            await auth.factors.complete_log_in(begun.challenge, bus.app_code(secret))
        again = await challenge(auth)
        await auth.factors.complete_log_in(again.challenge, bus.app_code(secret))

    assert begun.expires_at == again.expires_at - timedelta(minutes=5)


async def test_after_a_hundred_wrong_codes_in_a_row_none_is_let_in_until_somebody_unlocks(
    bus: FakeAuthbus,
) -> None:
    async with bus.client("web") as auth:
        session, secret = await enrolled(bus, auth)
        for _ in range(100):
            bus.forward(hours=1)
            begun = await challenge(auth)
            with pytest.raises(AuthRejected, match="code_invalid"):
                await auth.factors.complete_log_in(begun.challenge, "000000")
        bus.forward(days=30)
        begun = await challenge(auth)
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.factors.complete_log_in(begun.challenge, bus.app_code(secret))
        await auth.admin.unlock(await administrator(bus, auth), session.user_id)

        await auth.factors.complete_log_in(begun.challenge, bus.app_code(secret))


async def test_an_app_has_another_code_each_half_minute(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        session, secret = await enrolled(bus, auth)
        first = bus.app_code(secret)
        for late in (30, 30):
            bus.forward(seconds=late)
            session = await auth.factors.step_up(session, bus.app_code(secret))
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.factors.step_up(session, bus.app_code(secret))
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.factors.step_up(session, first)
        bus.forward(seconds=90)
        behind, ahead = bus.app_code(secret, ahead=-2), bus.app_code(secret, ahead=2)
        for code in (behind, ahead):
            with pytest.raises(AuthRejected, match="code_invalid"):
                await auth.factors.step_up(session, code)
        await auth.factors.step_up(session, bus.app_code(secret, ahead=-1))


async def test_a_second_factor_that_was_shown_is_enough_for_a_while() -> None:
    bus = FakeAuthbus(settings=Settings(step_up_seconds=60))
    async with bus.client("web") as auth:
        session, secret = await enrolled(bus, auth)
        bus.forward(seconds=59)
        await auth.passwords.change(session.access_token, PASSWORD, NEW)
        bus.forward(seconds=1)
        with pytest.raises(AuthRejected, match="step_up_required"):
            await auth.passwords.change(session.access_token, NEW, PASSWORD)
        fresh = await auth.factors.step_up(session, bus.app_code(secret))
        claims = auth.verify(fresh.access_token)
        await auth.passwords.change(session.access_token, NEW, PASSWORD)

    assert claims.auth_time == bus.now.replace(microsecond=0)


async def test_wrong_codes_count_for_a_day_but_lock_no_log_in(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        session, secret = await enrolled(bus, auth)
        for _ in range(5):
            with pytest.raises(AuthRejected, match="code_invalid"):
                await auth.factors.step_up(session, "no such code")
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.factors.step_up(session, bus.app_code(secret, ahead=1))
        await challenge(auth)
        bus.forward(seconds=1)
        await auth.factors.step_up(session, bus.app_code(secret, ahead=1))


async def test_mails_tell_of_a_second_factor_that_comes_and_goes_at_an_address_that_was_shown(
    bus: FakeAuthbus,
) -> None:
    async with bus.client("web") as auth:
        session, secret = await enrolled(bus, auth)
        await auth.email.verify(bus.mails[0].code or "")
        code = bus.app_code(secret, ahead=1)
        await auth.factors.disable_totp(session.access_token, code)
        session = await auth.log_in(EMAIL, PASSWORD)
        app = await auth.factors.start_totp(session.access_token, PASSWORD)
        code = bus.app_code(app.secret)
        await auth.factors.confirm_totp(session.access_token, code)
        root = await administrator(bus, auth)
        await auth.admin.reset_second_factor(root, session.user_id)

    told = [each.template for each in bus.mails if each.template.startswith("second")]
    assert told == ["second_factor_off", "second_factor_on", "second_factor_off"]


async def test_a_deactivated_account_whose_password_is_taken_away_gets_no_mail(
    bus: FakeAuthbus,
) -> None:
    async with bus.client("web") as auth:
        user = await auth.register(EMAIL, PASSWORD)
        root = await administrator(bus, auth)
        await auth.admin.deactivate(root, user.user_id)
        await auth.admin.force_password_reset(root, user.user_id)
        with pytest.raises(LookupError):
            bus.code(EMAIL, "force_reset")
        await auth.admin.reactivate(root, user.user_id)
        await auth.admin.force_password_reset(root, user.user_id)
        await auth.passwords.reset(bus.code(EMAIL, "force_reset"), NEW)


async def test_a_machine_logs_in_anew_when_its_token_is_over(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth, bus.verifier("web") as verifier:
        machine = await auth.services.create(await administrator(bus, auth), "the mill")
        session = await auth.services.log_in(machine.user_id, machine.secret)
        bus.forward(minutes=9, seconds=59)
        verifier.verify(session.access_token)
        bus.forward(seconds=1)
        with pytest.raises(TokenRevoked):
            verifier.verify(session.access_token)
        await auth.services.log_in(machine.user_id, machine.secret)
        bus.forward(days=365)
        with pytest.raises(AuthRejected, match="invalid_credentials"):
            await auth.services.log_in(machine.user_id, machine.secret)

    assert machine.expires_at == bus.now - timedelta(minutes=10)


async def test_a_former_secret_of_a_machine_runs_out(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        root = await administrator(bus, auth)
        first = await auth.services.create(root, "the mill")
        second = await auth.services.rotate_secret(root, first.user_id, overlap_hours=2)
        bus.forward(hours=1, minutes=59)
        await auth.services.log_in(first.user_id, first.secret)
        bus.forward(minutes=1)
        with pytest.raises(AuthRejected, match="invalid_credentials"):
            await auth.services.log_in(first.user_id, first.secret)
        await auth.services.log_in(first.user_id, second.secret)


async def test_machines_and_imported_users_are_told_like_others(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        root = await administrator(bus, auth)
        machine = await auth.services.create(root, "the mill")
        user_id = await auth.admin.import_user(
            root, EMAIL, email_verified=True, display_name="Ana", time_zone=None
        )
    told: dict[object, UserState] = {}
    async for each in bus.stream("view").bootstrap():
        if isinstance(each, UserState):
            told[each.user_id] = each
        if isinstance(each, SnapshotEnds):
            break

    mill, ana = told[machine.user_id], told[user_id]
    assert (mill.kind, mill.email, mill.profile.display_name) == (
        UserKind.SERVICE,
        None,
        "the mill",
    )
    assert (ana.kind, ana.email, ana.email_verified) == (UserKind.PERSON, EMAIL, True)
    assert (ana.profile.display_name, ana.profile.version, ana.sequence) == ("Ana", 1, 3)


async def test_no_more_than_the_newest_twenty_of_the_sessions_that_are_over_are_shown(
    bus: FakeAuthbus,
) -> None:
    async with bus.client("web") as auth:
        user = await auth.register(EMAIL, PASSWORD)
        over: list[Session] = []
        for _ in range(22):
            over.append(await auth.log_in(EMAIL, PASSWORD))
            await auth.log_out(over[-1])
            bus.forward(seconds=1)
        live = await auth.log_in(EMAIL, PASSWORD)
        root = await administrator(bus, auth)
        shown = (await auth.admin.get(root, user.user_id, ended_sessions=True)).sessions

    assert len(shown) == 21
    assert [each.session_id for each in shown[-2:]] == [over[-1].session_id, live.session_id]
    assert shown[0].started_at == bus.now - timedelta(seconds=20)


async def test_two_runs_of_all_this_are_the_same() -> None:
    async def run() -> tuple[object, ...]:
        bus = FakeAuthbus(at=datetime(2026, 3, 1, tzinfo=UTC))
        async with bus.client("web") as auth:
            session, secret = await enrolled(bus, auth)
            root = await administrator(bus, auth)
            machine = await auth.services.create(root, "the mill")
            imported = await auth.admin.import_user(root, "bob@example.com")
            found = await auth.admin.find(root)
            export = await auth.account.export(session.access_token)
        return session, secret, machine, imported, found, export, bus.events, bus.mails

    assert await run() == await run()
