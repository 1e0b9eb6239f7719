"""What is promised of users that another system had, and of passwords that are taken away."""

from authbus import Code, ProfileUpdated
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused

NEW = "another horse battery"
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
HASHES = {
    "U*U": BCRYPT,
    "passwd": "pbkdf2_sha256$1$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
}


async def an_imported_user_logs_in_by_the_password_they_had(place: Place) -> None:
    root, auth = place.root, place.auth
    for password, hashed in HASHES.items():
        email = an_address()
        user_id = await auth.admin.import_user(
            root, email, password_hash=hashed, email_verified=True, display_name="Ana", locale=None
        )
        await refused(auth.log_in(email, "wrong password"), Code.INVALID_CREDENTIALS)
        token = (await auth.log_in(email, password)).access_token
        await auth.log_in(email, password)

        found = await auth.profile.get(token)
        assert (found.user_id, found.email) == (user_id, email)
        assert (found.profile.display_name, found.profile.version) == ("Ana", 1)
        await refused(auth.email.resend_verification(token), Code.EMAIL_VERIFIED)
        events = await place.heard(user_id, 5)
        assert kinds(events) == [
            *["UserCreated", "EmailVerified", "ProfileUpdated"],
            *["SessionStarted"] * 2,
        ]
        updated = events[2].data
        assert isinstance(updated, ProfileUpdated)
        assert (updated.fields, updated.profile_version) == (("display_name",), 1)
        assert updated.actor.startswith("admin:")


async def an_imported_user_without_a_hash_sets_a_password_by_mail(place: Place) -> None:
    root, auth, email = place.root, place.auth, an_address()
    id_ = uuid7()
    user_id = await auth.admin.import_user(root, email, command_id=id_)
    assert await auth.admin.import_user(root, email, command_id=id_) == user_id
    for wrong in ("", PASSWORD):
        await refused(auth.log_in(email, wrong), Code.INVALID_CREDENTIALS)

    await auth.passwords.request_reset(email)
    assert await auth.passwords.reset(await place.code(email, "reset_password"), PASSWORD) == 0

    await auth.log_in(email, PASSWORD)
    events = await place.heard(user_id, 5)
    assert kinds(events) == [
        "UserCreated",
        "PasswordResetRequested",
        "PasswordChanged reset",
        "EmailVerified",
        "SessionStarted",
    ]


async def what_cannot_be_imported_is_refused_by_the_rule_it_breaks(place: Place) -> None:
    root, auth, email = place.root, place.auth, an_address()
    helper = an_address("helper")
    user = await auth.register(helper, PASSWORD)
    await place.grant(user.user_id, "helper")
    token, take = (await auth.log_in(helper, PASSWORD)).access_token, auth.admin.import_user
    costly = BCRYPT.replace("$05$", "$15$")

    await refused(take(root, "nobody"), Code.EMAIL_INVALID)
    await refused(take(root, helper.upper()), Code.EMAIL_TAKEN)
    await refused(take(root, email, picture_url="http://x"), Code.INVALID)
    await refused(take(token, email), Code.FORBIDDEN)
    await refused(take("not a token", email), Code.INVALID_TOKEN)
    refusal = await refused(take(root, email, password_hash=costly), Code.PASSWORD_HASH_REFUSED)
    assert refusal.detail == "bcrypt cost: 4 to 14"
    await refused(take(root, email, password_hash="md5"), Code.PASSWORD_HASH_REFUSED)
    await take(root, email)


async def a_password_that_is_taken_away_is_set_anew_by_mail(place: Place) -> None:
    root, auth, email = place.root, place.auth, an_address()
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    force = auth.admin.force_password_reset
    await refused(force(session.access_token, user.user_id), Code.FORBIDDEN)
    await refused(force(root, uuid7()), Code.USER_UNKNOWN)
    await auth.passwords.request_reset(email)
    old = await place.code(email, "reset_password")

    assert await force(root, user.user_id) == 1

    await refused(auth.refresh(session), Code.INVALID_TOKEN)
    for wrong in ("", PASSWORD):
        await refused(auth.log_in(email, wrong), Code.INVALID_CREDENTIALS)
    await refused(auth.passwords.reset(old, NEW), Code.CODE_INVALID)
    while (code := await place.code(email, "force_reset")) == old:
        pass
    await auth.passwords.reset(code, NEW)
    await auth.log_in(email, NEW)
    events = (await place.heard(user.user_id, 8))[2:]
    assert kinds(events) == [
        "PasswordResetRequested",
        "PasswordResetForced",
        "SessionEnded admin",
        "PasswordChanged reset",
        "EmailVerified",
        "SessionStarted",
    ]
    assert {each.data.actor[:6] for each in events[1:3]} == {"admin:"}
