"""Addresses that are verified and changed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import SecretStr

from authbus import (
    ChangeEmail,
    ConfirmEmailChange,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    LoggedIn,
    ResendVerification,
    VerifyEmail,
)
from authbus.events import AnyEvent
from authbus_service.auth.codes.code import Purpose
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


def moves(events: Iterable[AnyEvent]) -> list[int]:
    """How many of these events tell of each step, for four users."""
    kinds = Counter(type(event) for event in events)
    return [kinds[each] for each in KINDS]
