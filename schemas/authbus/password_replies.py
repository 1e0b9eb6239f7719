"""Answers about passwords."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from authbus.message import Instant, Reply


class PasswordIsChanged(Reply):
    """The new password is the one that counts. So many sessions were ended."""

    sessions_ended: Annotated[int, Field(ge=0)]


class ResetIsRequested(Reply):
    """If there is an active account with this address, a mail is on its way.

    Its code is good until `expires_at`.
    """

    expires_at: Instant


class PasswordIsVoid(Reply):
    """The user has no password that works. So many sessions were ended."""

    user_id: UUID
    sessions_ended: Annotated[int, Field(ge=0)]
