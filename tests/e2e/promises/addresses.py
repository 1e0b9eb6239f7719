"""What is promised of an account's address: shown by a mail's code, and changed by another."""

from authbus import Code, Session
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused

NEW = "another horse battery"


async def an_address_is_verified_by_the_code_of_a_mail(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    token = (await auth.log_in(email, PASSWORD)).access_token
    await refused(auth.email.resend_verification(token), Code.TOO_SOON)
    await refused(auth.email.verify("no such code"), Code.CODE_INVALID)
    code = await place.code(email, "verify_email")

    assert await auth.email.verify(code) == user.user_id
    assert await auth.email.verify(code) == user.user_id

    await refused(auth.email.resend_verification(token), Code.EMAIL_VERIFIED)
    await refused(auth.email.confirm_change(code), Code.CODE_INVALID)
    events = await place.heard(user.user_id, 3)
    assert kinds(events) == ["UserCreated", "SessionStarted", "EmailVerified"]


async def what_others_have_mailed_to_a_mailbox_leaves_a_reset_for_its_plain_address(
    place: Place,
) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    spelt = [email.replace("@", f"+{tag}@") for tag in range(5)]
    others = [await auth.register(each, PASSWORD) for each in spelt]

    for each in (*spelt, email):
        await auth.passwords.request_reset(each)

    await auth.passwords.reset(await place.code(email, "reset_password"), NEW)
    await auth.log_in(spelt[-1], PASSWORD)
    assert kinds(await place.heard(others[-1].user_id, 2)) == ["UserCreated", "SessionStarted"]
    events = await place.heard(user.user_id, 4)
    assert kinds(events)[1:] == [
        "PasswordResetRequested",
        "PasswordChanged reset",
        "EmailVerified",
    ]


async def an_address_changes_once_the_new_one_is_shown(place: Place) -> None:
    old, new, auth = an_address(), an_address("new"), place.auth
    user = await auth.register(old, PASSWORD)
    token = (await auth.log_in(old, PASSWORD)).access_token
    other = an_address("other")
    await auth.register(other, PASSWORD)
    theirs = (await auth.log_in(other, PASSWORD)).access_token
    await refused(auth.email.change(token, "wrong password", new), Code.INVALID_CREDENTIALS)
    await refused(auth.email.change(theirs, PASSWORD, old), Code.EMAIL_TAKEN)
    await refused(auth.email.change(token, PASSWORD, "nobody"), Code.EMAIL_INVALID)
    await auth.email.change(token, PASSWORD, new)
    for each, to in ((token, new), (token, other), (theirs, old), (theirs, new)):
        await refused(auth.email.change(each, PASSWORD, to), Code.TOO_SOON)
    await refused(auth.log_in(new, PASSWORD), Code.INVALID_CREDENTIALS)
    code = await place.code(new, "change_email")

    assert await auth.email.confirm_change(code) == user.user_id
    assert await auth.email.confirm_change(code) == user.user_id

    await refused(auth.log_in(old, PASSWORD), Code.INVALID_CREDENTIALS)
    assert (await auth.log_in(new, PASSWORD)).user_id == user.user_id
    assert (await auth.register(old, PASSWORD)).user_id != user.user_id
    events = await place.heard(user.user_id, 4)
    assert kinds(events)[2:] == ["EmailChangeRequested", "EmailChanged"]


async def a_change_of_address_ends_with_the_password_that_it_was_asked_for_with(
    place: Place,
) -> None:
    auth = place.auth

    async def change(session: Session, _: str) -> None:
        await auth.passwords.change(session.access_token, PASSWORD, NEW)

    async def reset(_: Session, email: str) -> None:
        await auth.passwords.request_reset(email)
        await auth.passwords.reset(await place.code(email, "reset_password"), NEW)

    async def force(session: Session, _: str) -> None:
        await auth.admin.force_password_reset(place.root, session.user_id)

    for by in (change, reset, force):
        email, theirs = an_address(), an_address("eve")
        user = await auth.register(email, PASSWORD)
        session = await auth.log_in(email, PASSWORD)
        await auth.email.change(session.access_token, PASSWORD, theirs)
        code = await place.code(theirs, "change_email")

        await by(session, email)

        await refused(auth.email.confirm_change(code), Code.CODE_INVALID)
        assert (await auth.register(theirs, PASSWORD)).user_id != user.user_id
