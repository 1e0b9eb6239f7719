"""The rules of a code: how it is made, and that it is used once."""

from datetime import datetime
from uuid import UUID

from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.codes.rows import Codes


def made(
    purpose: Purpose, code_hash: bytes, *, user_id: UUID, address: str, codes: Codes, at: datetime
) -> None:
    """Apply the making of a code: the row is there, with the hash of its secret."""
    codes.add(
        OneTimeCode(
            hash=code_hash,
            user_id=user_id,
            purpose=purpose,
            address=address,
            made_at=at,
            expires_at=at + purpose.lifetime,
        )
    )


def spent(purpose: Purpose, user_id: UUID, codes: Codes, at: datetime) -> None:
    """Apply the use of a code: it and every other one of its purpose is used now.

    The user's unused codes must have been loaded (`Proof.every_code`).
    """
    for code in codes.known.values():
        if code.user_id == user_id and code.purpose == purpose and code.used_at is None:
            codes.touch(code).used_at = at
