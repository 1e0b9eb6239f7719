"""Addresses that are verified and changed, and what their events need when they are folded."""

from collections import Counter
from collections.abc import Sequence

from pydantic import SecretStr

from authbus import (
    ChangeEmail,
    ConfirmEmailChange,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    LoggedIn,
    PasswordResetRequested,
    RequestPasswordReset,
    ResendVerification,
    VerifyEmail,
)
from authbus.events import AnyEvent
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import NOTHING, Private
from authbus_service.auth.request import Request
from authbus_service.core.security.masters import token_hash
from tests.rig.crowd import PASSWORD, Crowd
from tests.rig.mailed import code
from tests.rig.world import World

KINDS = (EmailVerified, EmailVerificationRequested, EmailChangeRequested, EmailChanged)


async def addresses_change(world: World, crowd: Crowd, of: Sequence[LoggedIn]) -> None:
    """Half of these users verify their address, all move to another, half of them in the end."""
    draft = world.web.draft
    emails = {row["id"]: row["email"] for row in await world.rows("SELECT id, email FROM users")}
    for each in of[::2]:
        found = await code(world, Purpose.VERIFY_EMAIL, emails[each.user_id])
        await crowd.asked([draft(VerifyEmail(code=SecretStr(found)))])
    async with world.database.transaction() as db:  # as if a minute had passed
        await db.exec_driver_sql("UPDATE codes SET made_at = made_at - interval '1 minute'")
    await crowd.asked([draft(ResendVerification(access_token=each.access_token)) for each in of])
    moves = {f"moved{each.user_id}@example.org": each.access_token for each in of}
    await crowd.asked(
        [
            draft(ChangeEmail(access_token=token, password=PASSWORD, new_email=address))
            for address, token in moves.items()
        ]
    )
    for address in [*moves][::2]:
        found = await code(world, Purpose.CHANGE_EMAIL, address)
        await crowd.asked([draft(ConfirmEmailChange(code=SecretStr(found)))])
    kinds = Counter(type(event) for event in await world.events())
    assert [kinds[each] for each in KINDS] == [2, 2, 4, 2]


def about_emails(event: AnyEvent, request: Request) -> Private:
    """The private part of an event about an address; nothing for all others."""
    match event, request.command:
        case EmailVerificationRequested(), ResendVerification():
            return Private(code_hash=token_hash(request.derived.code(Purpose.VERIFY_EMAIL)))
        case PasswordResetRequested(), RequestPasswordReset():
            return Private(code_hash=token_hash(request.derived.code(Purpose.RESET_PASSWORD)))
        case EmailChangeRequested(), ChangeEmail(new_email=address):
            code = request.derived.code(Purpose.CHANGE_EMAIL)
            return Private(address=address, code_hash=token_hash(code))
        case (EmailVerified(), VerifyEmail(code=code)) | (
            EmailChanged(),
            ConfirmEmailChange(code=code),
        ):
            return Private(code_hash=token_hash(code.get_secret_value()))
        case _:
            return NOTHING
