"""`auth.profile`: what a user says of themselves."""

from typing import Any, TypedDict, Unpack
from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.commands import GetProfile, UpdateProfile
from authbus.replies import ProfileSaved, UserProfile


class ProfileChanges(TypedDict, total=False):
    """New values; None clears a field, one that is left out stays."""

    display_name: str | None
    locale: str | None
    time_zone: str | None
    picture_url: str | None
    attributes: dict[str, Any] | None


class ProfileCalls:
    """Each takes the user's access token. Raises AuthRejected: `invalid_token` when it is over."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def get(self, access_token: str, *, timeout: float | None = None) -> UserProfile:
        """The user's address and profile."""
        token = SecretStr(access_token)
        return await self._call(
            lambda: GetProfile(access_token=token),
            UserProfile,
            key=whose(access_token),
            timeout=timeout,
        )

    async def update(
        self,
        access_token: str,
        version: int,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
        **changes: Unpack[ProfileChanges],
    ) -> int:
        """Change the profile that was read with this version; returns its version from now on.

        Raises AuthRejected: `version_conflict` when it was changed meanwhile, `invalid` for values
        out of bounds; `detail` names which.
        """
        asked = {"access_token": access_token, "profile_version": version, **changes}
        found = await self._call(
            lambda: UpdateProfile.model_validate(asked),
            ProfileSaved,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return found.profile_version
