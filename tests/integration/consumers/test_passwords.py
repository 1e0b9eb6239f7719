"""A password's change on real servers: what ends, what goes on, what is refused."""

from dataclasses import replace

from pydantic import SecretStr

from authbus import (
    ChangePassword,
    Code,
    CompletePasswordReset,
    EndReason,
    EraseAccount,
    ListSessions,
    LoggedIn,
    LogIn,
    PasswordIsChanged,
    Rejected,
    RequestPasswordReset,
    SessionEnded,
    SessionList,
    UserIsErased,
    UserLocked,
)
from authbus_service.auth.codes.code import Purpose
from tests.integration.consumers.guessing import PATIENT, WRONG, guesses
from tests.rig.mailed import code
from tests.rig.world import EMAIL, PASSWORD, World

NEW, NEWER = SecretStr("staple them together"), SecretStr("a third one, in turn")


def a_change(session: LoggedIn, current: SecretStr, new: SecretStr = NEW) -> ChangePassword:
    return ChangePassword(
        access_token=session.access_token, current_password=current, new_password=new
    )


async def test_a_change_ends_the_other_sessions_and_the_old_password(world: World) -> None:
    web = world.web
    async with world.consuming():
        one = await world.session()
        two, three = [await world.logged_in() for _ in range(2)]
        draft = web.draft(a_change(two, PASSWORD))
        changed = await web.ask(draft)
        again = await web.ask(draft)
        old = await web.ask(web.draft(LogIn(email=EMAIL, password=PASSWORD)))
        ended = await web.ask(web.draft(ListSessions(access_token=three.access_token)))
        four = await world.logged_in(password=NEW)
        left = await web.ask(web.draft(ListSessions(access_token=two.access_token)))

    assert changed == again == PasswordIsChanged(sessions_ended=2)
    assert old == Rejected.because(Code.INVALID_CREDENTIALS)
    assert ended == Rejected.because(Code.INVALID_TOKEN)
    assert isinstance(left, SessionList)
    assert [each.session_id for each in left.sessions] == [two.session_id, four.session_id]
    events = await world.events()
    reasons = [(e.session_id, e.reason) for e in events if isinstance(e, SessionEnded)]
    assert reasons == [(each.session_id, EndReason.PASSWORD_CHANGED) for each in (one, three)]
    assert [each.sequence for each in events] == list(range(1, len(events) + 1))


async def test_a_change_that_is_refused_changes_nothing(world: World) -> None:
    web = world.web
    async with world.consuming():
        session = await world.session()
        forged = session.model_copy(update={"access_token": SecretStr("a.b.c")})
        answers = [
            await web.ask(web.draft(each))
            for each in (
                a_change(session, SecretStr("not this one")),
                a_change(session, PASSWORD, SecretStr("short")),
                a_change(session, PASSWORD, SecretStr("ana@example.com")),
                a_change(session, PASSWORD, SecretStr("x" * 1025)),
                a_change(session, PASSWORD, SecretStr("password1234")),
                a_change(forged, PASSWORD),
            )
        ]
        await world.logged_in()

    assert answers == [
        Rejected.because(code)
        for code in (
            Code.INVALID_CREDENTIALS,
            Code.PASSWORD_TOO_SHORT,
            Code.PASSWORD_PERSONAL,
            Code.PASSWORD_TOO_LONG,
            Code.PASSWORD_COMMON,
            Code.INVALID_TOKEN,
        )
    ]
    assert len(await world.events()) == 3


async def test_no_byte_of_a_new_password_is_cut_off(world: World) -> None:
    twins = [SecretStr("a long word, " * 6 + end) for end in ("one", "two")]
    web = world.web
    async with world.consuming():
        session = await world.session()
        await web.ask(web.draft(a_change(session, PASSWORD, twins[0])))
        twin = await web.ask(web.draft(LogIn(email=EMAIL, password=twins[1])))
        await world.logged_in(password=twins[0])

    assert twin == Rejected.because(Code.INVALID_CREDENTIALS)


async def guessed(world: World, session: LoggedIn, times: int) -> None:
    for _ in range(times):
        guess = a_change(session, SecretStr("not this one"))
        assert await world.web.ask(world.web.draft(guess)) == WRONG


async def test_a_reset_forgives_what_was_guessed_from_a_session(world: World) -> None:
    web = world.web
    async with replace(world, settings=PATIENT).consuming():
        await guessed(world, await world.session(), 5)
        await web.ask(web.draft(RequestPasswordReset(email=EMAIL)))
        mailed = SecretStr(await code(world, Purpose.RESET_PASSWORD, EMAIL))
        await web.ask(web.draft(CompletePasswordReset(code=mailed, new_password=NEW)))
        owner = await world.logged_in(password=NEW)
        changed = await web.ask(web.draft(a_change(owner, NEW, NEWER)))

    assert changed == PasswordIsChanged(sessions_ended=0)


async def test_what_is_guessed_from_a_session_locks_nobody_and_is_erased_with_its_user(
    world: World,
) -> None:
    web = world.web
    async with replace(world, settings=PATIENT).consuming():
        session = await world.session()
        await guessed(world, session, 4)
        await web.ask(web.draft(LogIn(email=EMAIL, password=NEW)))
        again = await world.logged_in()
        counted = await guesses(world)
        erase = EraseAccount(access_token=again.access_token, password=PASSWORD)
        erased = await web.ask(web.draft(erase))
        left = await guesses(world)

    assert len([each for each in counted if each["state"] == "failed"]) == 4
    assert isinstance(erased, UserIsErased)
    assert left == []
    assert not [each for each in await world.events() if isinstance(each, UserLocked)]
