"""The part of `auth.admin` that takes over users of another system."""

from typing import Unpack
from uuid import UUID

from authbus.client.calling import Caller
from authbus.client.profile_calls import ProfileChanges
from authbus.commands import ImportUser
from authbus.replies import UserIsImported


class ImportCalls:
    """Each takes the administrator's own access token; see AdminCalls."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def import_user(
        self,
        access_token: str,
        email: str,
        *,
        password_hash: str | None = None,
        email_verified: bool = False,
        command_id: UUID | None = None,
        timeout: float | None = None,
        **profile: Unpack[ProfileChanges],
    ) -> UUID:
        """Make an account; returns its user.

        Raises AuthRejected: `email_taken`, `password_hash_refused` with the rule in `detail`.
        """
        id_ = command_id or self._call.new_id()
        asked = {
            "access_token": access_token,
            "email": email,
            "password_hash": password_hash,
            "email_verified": email_verified,
            **profile,
        }
        found = await self._call(
            lambda: ImportUser.model_validate(asked),
            UserIsImported,
            key=str(id_),
            command_id=id_,
            timeout=timeout,
        )
        return found.user_id
