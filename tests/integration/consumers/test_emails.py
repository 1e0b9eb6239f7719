"""An account's address on real servers: verified, changed, and nobody's twice."""

from typing import Any

from pydantic import SecretStr

from authbus import (
    ChangeEmail,
    Code,
    Command,
    ConfirmEmailChange,
    EmailChanged,
    EmailChangeRequested,
    EmailIsChanged,
    EmailIsVerified,
    EmailVerified,
    LoggedIn,
    LogIn,
    MailQueued,
    Registered,
    RegisterUser,
    Rejected,
    Reply,
    ResendVerification,
    VerifyEmail,
)
from authbus_service.auth.codes.code import Purpose
from authbus_service.consumers.housekeeping import Housekeeping
from tests.rig.mailed import code, queued, show
from tests.rig.world import PASSWORD, World

OLD, NEW = "Ana@example.com", "Ana@example.org"


async def ask(world: World, command: Command) -> Reply:
    return await world.web.ask(world.web.draft(command))


async def registered(world: World, email: str = OLD) -> Registered:
    user = await ask(world, RegisterUser(email=email, password=PASSWORD))
    assert isinstance(user, Registered)
    return user


async def changing(world: World, address: str = NEW) -> ConfirmEmailChange:
    """Ask for a change; the confirmation that its mail leads to."""
    session = await world.logged_in(OLD)
    change = ChangeEmail(access_token=session.access_token, password=PASSWORD, new_email=address)
    assert isinstance(await ask(world, change), MailQueued)
    return ConfirmEmailChange(code=SecretStr(await code(world, Purpose.CHANGE_EMAIL, address)))


async def owners(world: World) -> list[dict[str, Any]]:
    return await world.rows(
        "SELECT canonical, email, email_verified FROM emails JOIN users ON user_id = users.id"
        " ORDER BY canonical"
    )


async def test_a_registered_address_is_verified_by_the_code_in_its_mail_once(
    world: World,
) -> None:
    async with world.consuming():
        user = await registered(world)
        verify = VerifyEmail(code=SecretStr(await code(world, Purpose.VERIFY_EMAIL, OLD)))
        answers = [await ask(world, verify) for _ in range(2)]
        wrong = await ask(world, VerifyEmail(code=SecretStr("no such code")))
        session = await world.logged_in(OLD)
        more = await ask(world, ResendVerification(access_token=session.access_token))

    assert answers == [EmailIsVerified(user_id=user.user_id)] * 2
    assert wrong == Rejected.because(Code.CODE_INVALID)
    assert more == Rejected.because(Code.EMAIL_VERIFIED)
    assert [type(each) for each in await world.events()].count(EmailVerified) == 1
    assert [row["email_verified"] for row in await owners(world)] == [True]
    assert await queued(world) == [("verify_email", OLD)]


async def test_a_second_mail_is_not_sent_at_once(world: World) -> None:
    async with world.consuming():
        session = await world.session(OLD)
        resend = ResendVerification(access_token=session.access_token)
        soon = await ask(world, resend)
        async with world.database.transaction() as db:
            await db.exec_driver_sql("UPDATE codes SET made_at = made_at - interval '1 minute'")
        later = await ask(world, resend)

    assert soon == Rejected.because(Code.TOO_SOON)
    assert isinstance(later, MailQueued)
    assert await queued(world) == [("verify_email", OLD)] * 2


async def test_an_address_changes_when_the_new_one_is_verified_and_the_old_one_is_told(
    world: World,
) -> None:
    async with world.consuming():
        user = await registered(world)
        await show(world, OLD)
        confirm = await changing(world)
        before = await owners(world)
        confirmed = [await ask(world, confirm) for _ in range(2)]
        log_ins = [await ask(world, LogIn(email=at, password=PASSWORD)) for at in (OLD, NEW)]
        other = await registered(world)

    assert [row["email"] for row in before] == [OLD]
    assert confirmed == [EmailIsChanged(user_id=user.user_id)] * 2
    assert [type(each) for each in log_ins] == [Rejected, LoggedIn]
    assert other.user_id != user.user_id
    assert await owners(world) == [
        {"canonical": OLD.lower(), "email": OLD, "email_verified": False},
        {"canonical": NEW.lower(), "email": NEW, "email_verified": True},
    ]
    kinds = [type(each) for each in await world.events() if each.user_id == user.user_id]
    assert [kind for kind in kinds if kind in {EmailChangeRequested, EmailChanged}] == [
        EmailChangeRequested,
        EmailChanged,
    ]
    assert ("email_changed", OLD) in await queued(world)


async def test_a_change_to_an_address_that_somebody_registered_meanwhile_is_refused(
    world: World,
) -> None:
    async with world.consuming():
        await registered(world)
        confirm = await changing(world)
        await registered(world, NEW)
        refused = await ask(world, confirm)

    assert refused == Rejected.because(Code.EMAIL_TAKEN)
    assert [row["email"] for row in await owners(world)] == [OLD, NEW]


async def test_a_code_is_forgotten_a_week_after_it_ran_out(world: World) -> None:
    async with world.consuming():
        await registered(world)
        await registered(world, NEW)
    async with world.database.transaction() as db:
        await db.exec_driver_sql(
            f"UPDATE codes SET expires_at = now() - interval '8 days' WHERE address = '{OLD}'"
        )
        await db.exec_driver_sql(
            f"UPDATE codes SET expires_at = now() - interval '6 days' WHERE address = '{NEW}'"
        )

    await Housekeeping(world.database).forget()

    assert await world.rows("SELECT address FROM codes") == [{"address": NEW}]
