"""The rules of a code: how it is made, and that it is used once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from authbus.message import Event
from authbus.service_accounts import ServiceSecretRotated
from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.codes.rows import Codes

_PAUSE = timedelta(minutes=1)
_MOST_OPEN = 5


def may_make(purpose: Purpose, unused: Iterable[OneTimeCode], at: datetime) -> bool:
    """Whether another mail with a code may go out: a mailbox is not to be flooded.

    Between two there is a minute, and five at most are open. `unused` are the user's unused codes.
    """
    open_ = [each for each in unused if each.is_open(purpose, at)]
    return len(open_) < _MOST_OPEN and all(each.made_at + _PAUSE <= at for each in open_)


def is_any_open(purpose: Purpose, unused: Iterable[OneTimeCode], at: datetime) -> bool:
    """Whether a mail with a code that is still good went out before."""
    return any(each.is_open(purpose, at) for each in unused)


def made(
    purpose: Purpose, event: Event, code_hash: bytes, address: str, codes: Codes, at: datetime
) -> None:
    """Apply the making of a code: the row is there, with the hash of its secret."""
    codes.add(
        OneTimeCode(
            hash=code_hash,
            user_id=event.user_id,
            purpose=purpose,
            address=address,
            made_at=at,
            expires_at=at + purpose.lifetime,
        )
    )


def challenged(
    event: Event, code_hash: bytes, credential_version: int, codes: Codes, at: datetime
) -> None:
    """Apply the first half of a log-in: what completes it is no mail's code and has no address."""
    made(Purpose.LOG_IN, event, code_hash, "", codes, at)
    codes.known[code_hash].credential_version = credential_version


def rotated(event: ServiceSecretRotated, code_hash: bytes, codes: Codes, at: datetime) -> None:
    """Apply a service account's new secret: its other ones, all loaded, run out in time.

    Without a hash they do so too, and there is no new one.
    """
    purpose = Purpose.SERVICE_SECRET
    for code in codes.known.values():
        if code.user_id == event.user_id and code.is_open(purpose, at):
            codes.touch(code).expires_at = min(code.expires_at, event.former_until)
    if code_hash:
        made(purpose, event, code_hash, "", codes, at)


def used(code_hash: bytes, codes: Codes, at: datetime) -> None:
    """Apply the use of one code alone."""
    codes.touch(codes.known[code_hash]).used_at = at


def spent(purpose: Purpose, user_id: UUID, codes: Codes, at: datetime) -> None:
    """Apply the use of a code: it and every other one of its purpose is used now.

    The user's unused codes must have been loaded (`Proof.every_code`).
    """
    for code in codes.known.values():
        if code.user_id == user_id and code.purpose == purpose and code.used_at is None:
            codes.touch(code).used_at = at
