"""What is promised of second factors."""

import pytest

from authbus import Code, SecondFactorNeeded, Session
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused

NEW = "another horse battery"
BY_CODE = ("pwd", "otp", "mfa")


async def a_second_factor_is_asked_for_once_a_first_code_of_it_came_back(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    token, factors = session.access_token, auth.factors
    await refused(factors.confirm_totp(token, "123456"), Code.FACTOR_MISSING)
    await refused(factors.start_totp(token, "wrong password"), Code.INVALID_CREDENTIALS)
    await refused(factors.start_totp("not a token", PASSWORD), Code.INVALID_TOKEN)
    app = await factors.start_totp(token, PASSWORD, label="Ana")
    assert app.otpauth_uri.startswith("otpauth://totp/")
    assert "Ana" in app.otpauth_uri
    assert f"secret={app.secret}" in app.otpauth_uri
    await refused(factors.confirm_totp(token, "no such code"), Code.CODE_INVALID)
    await auth.log_in(email, PASSWORD)

    recovery_codes = await factors.confirm_totp(token, place.app_code(app.secret))

    assert len({*recovery_codes}) == 10
    await refused(factors.confirm_totp(token, recovery_codes[0]), Code.FACTOR_ENABLED)
    await refused(factors.start_totp(token, PASSWORD), Code.FACTOR_ENABLED)
    challenge = await _challenge(place, email)
    code = place.app_code(app.secret, ahead=1)
    second = await factors.complete_log_in(challenge, code, device="a phone")
    assert place.auth.verify(second.access_token).amr == BY_CODE
    events = await place.heard(user.user_id, 9)
    assert kinds(events)[2:] == [
        "TotpRequested",
        "SessionStarted",
        "TotpEnabled",
        "SessionElevated",
        "SecondFactorRequested",
        "TotpUsed",
        "SessionStarted",
    ]
    assert [getattr(events[at].data, "amr", None) for at in (5, 8)] == [BY_CODE, BY_CODE]


async def a_code_and_a_challenge_are_good_once(place: Place) -> None:
    email, complete = an_address(), place.auth.factors.complete_log_in
    session, used, recovery_codes = await _enrolled(place, email)
    challenge = await _challenge(place, email)
    await refused(complete(challenge, "no such code"), Code.CODE_INVALID)
    await refused(complete(challenge, used), Code.CODE_INVALID)
    await refused(complete("no such challenge", recovery_codes[0]), Code.CHALLENGE_INVALID)

    typed = recovery_codes[0].upper().replace("-", " ")
    again = await complete(challenge, typed, device_token=session.device_token)

    assert again.device_token == session.device_token
    await refused(complete(challenge, recovery_codes[1]), Code.CHALLENGE_INVALID)
    other = await _challenge(place, email)
    await refused(complete(other, recovery_codes[0]), Code.CODE_INVALID)
    third = await complete(other, recovery_codes[1])
    assert third.device_token not in {None, session.device_token}
    events = (await place.heard(session.user_id, 11))[5:]
    assert kinds(events) == ["SecondFactorRequested", "RecoveryCodeUsed", "SessionStarted"] * 2
    assert [getattr(events[at].data, "left", None) for at in (1, 4)] == [9, 8]


async def a_new_password_voids_a_log_in_that_is_half_done(place: Place) -> None:
    email = an_address()
    session, _, recovery_codes = await _enrolled(place, email)
    challenge = await _challenge(place, email)

    await place.auth.passwords.change(session.access_token, PASSWORD, NEW)

    complete = place.auth.factors.complete_log_in(challenge, recovery_codes[0])
    await refused(complete, Code.CHALLENGE_INVALID)


async def codes_may_be_guessed_a_few_times_from_a_session_and_as_often_at_log_ins(
    place: Place,
) -> None:
    email, factors = an_address(), place.auth.factors
    session, _, recovery_codes = await _enrolled(place, email)
    for _ in range(4):
        await refused(factors.disable_totp(session.access_token, "no such code"), Code.CODE_INVALID)
    await refused(factors.disable_totp(session.access_token, recovery_codes[0]), Code.CODE_INVALID)
    await refused(factors.step_up(session, recovery_codes[0]), Code.CODE_INVALID)

    await factors.complete_log_in(await _challenge(place, email), recovery_codes[0])
    challenge = await _challenge(place, email)
    for _ in range(4):
        await refused(factors.complete_log_in(challenge, "no such code"), Code.CODE_INVALID)
    await refused(factors.complete_log_in(challenge, recovery_codes[1]), Code.CODE_INVALID)


async def what_could_take_an_account_away_needs_a_second_factor_shown_lately(
    place: Place,
) -> None:
    email, auth = an_address(), place.auth
    await auth.register(email, PASSWORD)
    old = await auth.log_in(email, PASSWORD)
    _, _, recovery_codes = await _enrolled(place, email, is_registered=True)
    await place.grant(old.user_id, "clerk")
    token = old.access_token
    calls = [
        auth.passwords.change(token, "wrong password", "short"),
        auth.email.change(token, PASSWORD, an_address("new")),
        auth.account.erase(token, PASSWORD),
        auth.factors.start_totp(token, PASSWORD),
    ]
    for call in calls:
        await refused(call, Code.STEP_UP_REQUIRED)
    await refused(auth.factors.step_up(old, "no such code"), Code.CODE_INVALID)

    fresh = await auth.factors.step_up(old, recovery_codes[0])

    assert (fresh.session_id, fresh.refresh_token) == (old.session_id, old.refresh_token)
    place.verifier.require(fresh.access_token, "orders:write", max_age=60, amr="mfa")
    assert await auth.passwords.change(fresh.access_token, PASSWORD, NEW) == 1
    events = (await place.heard(old.user_id, 11))[7:]
    assert kinds(events) == [
        "RecoveryCodeUsed",
        "SessionElevated",
        "PasswordChanged changed",
        "SessionEnded password_changed",
    ]


async def a_second_factor_is_nobodys_until_somebody_read_a_mail_to_the_address(
    place: Place,
) -> None:
    email, other = an_address(), an_address("bob")
    passwords = place.auth.passwords
    strangers, _, _ = await _enrolled(place, email)
    owners, _, _ = await _enrolled(place, other)
    await place.auth.email.verify(await place.code(other, "verify_email"))

    for address in (email, other):
        await passwords.request_reset(address)
        await passwords.reset(await place.code(address, "reset_password"), NEW)

    await place.auth.log_in(email, NEW)
    await _challenge(place, other, NEW)
    events = await place.heard(strangers.user_id, 10)
    assert kinds(events)[5:] == [
        "PasswordResetRequested",
        "PasswordChanged reset",
        "EmailVerified",
        "TotpDisabled password_reset",
        "SessionEnded password_changed",
    ]
    events = await place.heard(owners.user_id, 9)
    assert kinds(events)[6:] == [
        "PasswordResetRequested",
        "PasswordChanged reset",
        "SessionEnded password_changed",
    ]


async def a_second_factor_is_given_up_by_a_code_of_it(place: Place) -> None:
    email, factors = an_address(), place.auth.factors
    session, _, recovery_codes = await _enrolled(place, email)
    token = session.access_token
    await refused(factors.disable_totp(token, "no such code"), Code.CODE_INVALID)

    await factors.disable_totp(token, recovery_codes[0])

    await refused(factors.disable_totp(token, recovery_codes[1]), Code.FACTOR_MISSING)
    await refused(factors.step_up(session, recovery_codes[1]), Code.FACTOR_MISSING)
    await place.auth.log_in(email, PASSWORD)
    events = await place.heard(session.user_id, 7)
    assert kinds(events)[5:] == ["TotpDisabled requested", "SessionStarted"]


async def an_administrator_takes_a_lost_second_factor_from_who_may_do_no_more(
    place: Place,
) -> None:
    root, email, helper = place.root, an_address(), an_address("helper")
    reset = place.auth.admin.reset_second_factor
    session, _, _ = await _enrolled(place, email)
    helping = await place.auth.register(helper, PASSWORD)
    token = (await place.auth.log_in(helper, PASSWORD)).access_token
    await refused(reset(token, session.user_id), Code.FORBIDDEN)
    await place.grant(helping.user_id, "helper")
    await place.grant(session.user_id, "clerk")
    await refused(reset(token, session.user_id), Code.FORBIDDEN)
    await refused(reset(root, uuid7()), Code.USER_UNKNOWN)

    await reset(root, session.user_id)
    await reset(root, session.user_id)

    await place.auth.log_in(email, PASSWORD)
    events = await place.heard(session.user_id, 8)
    assert kinds(events)[5:] == ["RoleGranted", "TotpDisabled admin", "SessionStarted"]
    assert events[6].data.actor.startswith("admin:")


async def an_administrator_shows_their_second_factor_for_what_leads_upwards(
    place: Place,
) -> None:
    email, auth = an_address("root"), place.auth
    admin, user = auth.admin, await auth.register(an_address(), PASSWORD)
    await auth.register(email, PASSWORD)
    old = await auth.log_in(email, PASSWORD)
    await place.grant(old.user_id, "admin")
    fresh, _, _ = await _enrolled(place, email, is_registered=True)
    token, about = old.access_token, user.user_id
    calls = [
        admin.grant_role(token, about, "helper"),
        admin.revoke_role(token, about, "helper"),
        admin.reset_second_factor(token, about),
        admin.erase(token, about),
        auth.services.create(token, "a machine"),
        auth.services.rotate_secret(token, about),
    ]
    for call in calls:
        await refused(call, Code.STEP_UP_REQUIRED)

    assert await admin.deactivate(token, about) == 0
    assert await admin.grant_role(fresh.access_token, about, "helper") == ("helper",)


async def _enrolled(
    place: Place, email: str, *, is_registered: bool = False
) -> tuple[Session, str, tuple[str, ...]]:
    """A session that enabled one, by this code; and its recovery codes."""
    if not is_registered:
        await place.auth.register(email, PASSWORD)
    session = await place.auth.log_in(email, PASSWORD)
    app = await place.auth.factors.start_totp(session.access_token, PASSWORD)
    code = place.app_code(app.secret)
    return session, code, await place.auth.factors.confirm_totp(session.access_token, code)


async def _challenge(place: Place, email: str, password: str = PASSWORD) -> str:
    """That of a log-in whose password was right."""
    with pytest.raises(SecondFactorNeeded) as needed:
        await place.auth.log_in(email, password)
    return needed.value.challenge
