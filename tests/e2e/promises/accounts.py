"""What is promised of accounts: registering, passwords, profiles, the end."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from authbus import Code, SecondFactorNeeded, UserLocked
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused

NEW = "another horse battery"


async def what_cannot_be_an_account_is_refused_by_the_rule_it_breaks(place: Place) -> None:
    email, auth = an_address(), place.auth
    await auth.register(email, PASSWORD)
    rules = [
        ("nobody", PASSWORD, Code.EMAIL_INVALID),
        ("ä@example.com", PASSWORD, Code.EMAIL_INVALID),
        (email.upper(), PASSWORD, Code.EMAIL_TAKEN),
        (an_address(), "too short", Code.PASSWORD_TOO_SHORT),
        (an_address(), "ü" * 600, Code.PASSWORD_TOO_LONG),
        (an_address(), "passwordpassword", Code.PASSWORD_COMMON),
        (an_address("wonderland"), "wonderland..", Code.PASSWORD_PERSONAL),
        ("x", PASSWORD, Code.INVALID),
        (an_address(), "\0" * 20, Code.INVALID),
    ]
    calls = (refused(auth.register(who, password), code) for who, password, code in rules)
    await asyncio.gather(*calls)

    await refused(auth.log_in(an_address(), PASSWORD), Code.INVALID_CREDENTIALS)
    with pytest.raises(ValueError, match="UUIDv7"):
        await auth.register(an_address(), PASSWORD, command_id=uuid4())


async def an_address_is_one_in_whatever_case(place: Place) -> None:
    email = an_address("Ana.B")
    user = await place.auth.register(email, PASSWORD)

    session = await place.auth.log_in(email.upper(), PASSWORD)

    assert session.user_id == user.user_id
    assert (await place.auth.profile.get(session.access_token)).email == email


async def a_profile_is_changed_by_whoever_read_it_last(place: Place) -> None:
    email, profile = an_address(), place.auth.profile
    user = await place.auth.register(email, PASSWORD)
    token = (await place.auth.log_in(email, PASSWORD)).access_token
    assert (await profile.get(token)).profile.version == 0

    said = {"theme": {"dark": True}}
    assert await profile.update(token, 0, display_name="Ana", locale="de-AT") == 1
    assert await profile.update(token, 1, time_zone="Europe/Vienna", attributes=said) == 2
    assert await profile.update(token, 2, display_name="Ana") == 2
    refusal = await refused(profile.update(token, 1, display_name="B"), Code.VERSION_CONFLICT)
    assert "2" in refusal.detail
    assert await profile.update(token, 2, locale=None) == 3
    await refused(profile.update(token, 3, picture_url="http://x"), Code.INVALID)

    found = (await profile.get(token)).profile
    assert (found.display_name, found.locale, found.time_zone) == ("Ana", None, "Europe/Vienna")
    assert found.attributes == said
    events = await place.heard(user.user_id, 5)
    assert kinds(events)[2:] == ["ProfileUpdated"] * 3
    fields = [getattr(each.data, "fields", ()) for each in events[2:]]
    assert fields == [("display_name", "locale"), ("time_zone", "attributes"), ("locale",)]


async def a_new_password_ends_all_other_sessions(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    other, mine = [await auth.log_in(email, PASSWORD) for _ in range(2)]
    change, token = auth.passwords.change, mine.access_token
    await refused(change(token, "wrong password", NEW), Code.INVALID_CREDENTIALS)
    await refused(change(token, PASSWORD, "short"), Code.PASSWORD_TOO_SHORT)

    assert await change(token, PASSWORD, NEW) == 1

    await refused(auth.log_in(email, PASSWORD), Code.INVALID_CREDENTIALS)
    await refused(auth.refresh(other), Code.INVALID_TOKEN)
    await auth.refresh(mine)
    await auth.log_in(email, NEW)
    events = await place.heard(user.user_id, 5)
    assert kinds(events)[3:] == ["PasswordChanged changed", "SessionEnded password_changed"]


async def a_forgotten_password_is_set_anew_by_mail_and_nobody_learns_of_the_account(
    place: Place,
) -> None:
    email, passwords = an_address(), place.auth.passwords
    user = await place.auth.register(email, PASSWORD)
    session = await place.auth.log_in(email, PASSWORD)
    known, unknown = [await passwords.request_reset(each) for each in (email, an_address())]
    assert abs(known - unknown) < timedelta(seconds=30)
    await refused(passwords.request_reset("nobody"), Code.EMAIL_INVALID)
    code = await place.code(email, "reset_password")
    await refused(passwords.reset(code, "short"), Code.PASSWORD_TOO_SHORT)

    assert await passwords.reset(code, NEW) == 1

    await refused(passwords.reset(code, NEW), Code.CODE_INVALID)
    await refused(place.auth.refresh(session), Code.INVALID_TOKEN)
    await place.auth.log_in(email, NEW)
    events = await place.heard(user.user_id, 7)
    assert kinds(events)[2:] == [
        "PasswordResetRequested",
        "PasswordChanged reset",
        "EmailVerified",
        "SessionEnded password_changed",
        "SessionStarted",
    ]


async def wrong_passwords_lock_an_account_but_not_its_known_devices(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    device = (await auth.log_in(email, PASSWORD)).device_token
    for _ in range(4):
        await refused(auth.log_in(email, "wrong password"), Code.INVALID_CREDENTIALS)

    await refused(auth.log_in(email, PASSWORD), Code.INVALID_CREDENTIALS)
    again = await auth.log_in(email, PASSWORD, device_token=device)
    assert again.device_token == device
    await auth.passwords.request_reset(email)
    await auth.passwords.reset(await place.code(email, "reset_password"), NEW)
    await auth.log_in(email, NEW)

    events = await place.heard(user.user_id, 10)
    assert kinds(events)[2:7] == [
        "UserLocked",
        "SessionStarted",
        "PasswordResetRequested",
        "PasswordChanged reset",
        "EmailVerified",
    ]
    assert kinds(events)[7:] == [
        "UserUnlocked password_reset",
        *["SessionEnded password_changed"] * 2,
    ]
    locked = events[2]
    assert isinstance(locked.data, UserLocked)
    until = locked.data.until - locked.time
    assert abs(until - timedelta(minutes=15)) < timedelta(seconds=5)


async def a_reset_forgives_what_was_guessed_from_a_session(place: Place) -> None:
    email, auth = an_address(), place.auth
    await auth.register(email, PASSWORD)
    token = (await auth.log_in(email, PASSWORD)).access_token
    for _ in range(4):
        guess = auth.passwords.change(token, "wrong password", NEW)
        await refused(guess, Code.INVALID_CREDENTIALS)
    await refused(auth.passwords.change(token, PASSWORD, NEW), Code.INVALID_CREDENTIALS)

    await auth.passwords.request_reset(email)
    await auth.passwords.reset(await place.code(email, "reset_password"), NEW)

    token = (await auth.log_in(email, NEW)).access_token
    assert await auth.passwords.change(token, NEW, PASSWORD) == 0


async def guesses_from_a_known_device_keep_that_device_out_alone(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    device = (await auth.log_in(email, PASSWORD)).device_token
    for _ in range(5):
        guess = auth.log_in(email, "wrong password", device_token=device)
        await refused(guess, Code.INVALID_CREDENTIALS)

    right = auth.log_in(email, PASSWORD, device_token=device)
    await refused(right, Code.INVALID_CREDENTIALS)
    await auth.log_in(email, PASSWORD)

    events = await place.heard(user.user_id, 3)
    assert kinds(events) == ["UserCreated", "SessionStarted", "SessionStarted"]


async def a_known_device_lets_its_user_in_by_both_halves_whoever_guesses_from_its_place(
    place: Place,
) -> None:
    email, auth, here = an_address(), place.auth, "198.51.100.7"
    complete = auth.factors.complete_log_in
    await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    token, device = session.access_token, session.device_token
    app = await auth.factors.start_totp(token, PASSWORD)
    code, *_ = await auth.factors.confirm_totp(token, place.app_code(app.secret))
    for _ in range(4):
        wrong = auth.log_in(an_address(), PASSWORD, ip_address=here)
        await refused(wrong, Code.INVALID_CREDENTIALS)

    with pytest.raises(SecondFactorNeeded) as half:
        await auth.log_in(email, PASSWORD, ip_address=here, device_token=device)
    challenge = half.value.challenge
    for unknown in (None, "made up"):
        second = complete(challenge, code, ip_address=here, device_token=unknown)
        await refused(second, Code.CODE_INVALID)
    again = await complete(challenge, code, ip_address=here, device_token=device)

    assert again.device_token == device


async def an_erased_account_leaves_its_address_to_others(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    erase = auth.account.erase
    await refused(erase(session.access_token, "wrong password"), Code.INVALID_CREDENTIALS)

    receipt = await erase(session.access_token, PASSWORD)

    assert (receipt.user_id, receipt.sessions_ended) == (user.user_id, 1)
    await refused(auth.log_in(email, PASSWORD), Code.INVALID_CREDENTIALS)
    await refused(auth.refresh(session), Code.INVALID_TOKEN)
    await refused(auth.profile.get(session.access_token), Code.INVALID_TOKEN)
    assert (await auth.register(email, PASSWORD)).user_id != user.user_id
    events = await place.heard(user.user_id, 4)
    assert kinds(events)[2:] == ["SessionEnded erased", "UserErased"]
