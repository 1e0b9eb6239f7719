"""Replies: the answer to one producer, on its own topic. A refusal is an answer, not an error."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from authbus.code import Code
from authbus.events import EndReason
from authbus.message import (
    EmailOrNone,
    EmailPart,
    ExportPlace,
    Instant,
    PersonalText,
    Reply,
    RoleName,
    Secret,
    SecretOrNone,
    SessionPlace,
)
from authbus.profile import Profile
from authbus.state import UserKind, UserStatus


class Rejected(Reply):
    """A refusal. `detail` names the rule in words and never repeats what was sent."""

    code: Code
    retryable: bool = False
    detail: Annotated[str, StringConstraints(max_length=300)] = ""

    @classmethod
    def because(cls, code: Code, detail: str = "") -> "Rejected":
        """A refusal with the code's own `retryable`."""
        return cls(code=code, retryable=code.retryable, detail=detail)


class Registered(Reply):
    """The account is there."""

    user_id: UUID


class Tokens(BaseModel):
    """What whoever holds a session is given."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    user_id: UUID
    session_id: UUID
    access_token: Secret
    access_token_expires_at: Instant
    refresh_token: Secret
    session_expires_at: Instant


class LoggedIn(Tokens, Reply):
    """A session has started. The tokens are in the sealed reply and nowhere else.

    `device_token` is for the user's device to keep and to show at its next log-in.
    """

    sealed: ClassVar[bool] = True

    device_token: SecretOrNone = None


class Refreshed(Tokens, Reply):
    """New tokens of a session. Its refresh token of before is used up."""

    sealed: ClassVar[bool] = True


class LoggedOut(Reply):
    """The session is over."""

    session_id: UUID


class SessionIsEnded(Reply):
    """The session is over."""

    session_id: UUID


class AllSessionsEnded(Reply):
    """So many sessions were ended."""

    count: Annotated[int, Field(ge=0)]


class SessionEntry(BaseModel):
    """One session of a list. `is_current` is the one that asks.

    `device` and `ip_address` are as given at the log-in. It ends at `expires_at`, and before that
    at `lapses_at` when it is not refreshed. `ended_at` and `end_reason` are those of one that was
    ended.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    session_id: UUID
    client_id: Annotated[str, StringConstraints(max_length=64)]
    amr: tuple[str, ...]
    started_at: Instant
    last_used_at: Instant
    lapses_at: Instant
    expires_at: Instant
    device: PersonalText = None
    ip_address: PersonalText = None
    is_current: bool
    ended_at: Instant | None = None
    end_reason: EndReason | None = None


class SessionList(Reply):
    """A page of a user's live sessions, oldest first; `next` is the next `after`, if any."""

    sealed: ClassVar[bool] = True

    sessions: tuple[SessionEntry, ...]
    next: SessionPlace | None = None


class UserIsImported(Reply):
    """The account is there."""

    user_id: UUID


class UserIsDeactivated(Reply):
    """The account is shut; so many of its sessions were ended."""

    user_id: UUID
    sessions_ended: Annotated[int, Field(ge=0)]


class UserIsActive(Reply):
    """The account may be used."""

    user_id: UUID


class UserIsUnlocked(Reply):
    """The account is not locked."""

    user_id: UUID


class UserProfile(Reply):
    """A user's own profile, with the address that they log in with."""

    sealed: ClassVar[bool] = True

    user_id: UUID
    email: EmailOrNone = None
    profile: Profile


class ProfileSaved(Reply):
    """The profile is as asked. Its version stays when nothing changed."""

    profile_version: Annotated[int, Field(ge=0)]


class MailQueued(Reply):
    """A mail is on its way; its code is good until `expires_at`."""

    expires_at: Instant


class EmailIsVerified(Reply):
    """The address is the user's."""

    user_id: UUID


class EmailIsChanged(Reply):
    """The new address is the account's."""

    user_id: UUID


class UserRoles(Reply):
    """The roles that the user holds now."""

    user_id: UUID
    roles: tuple[RoleName, ...]


class UserIsErased(Reply):
    """A receipt: the account is gone, so many sessions were ended.

    By `commands_gone_at` the last sealed command of this user has left Kafka, and the last copy of
    one by a replay.
    """

    user_id: UUID
    sessions_ended: Annotated[int, Field(ge=0)]
    commands_gone_at: Instant


class UserExport(Reply):
    """A page of what is held of a user, by table, without secrets; `next` is the next `after`."""

    sealed: ClassVar[bool] = True

    user_id: UUID
    exported_at: Instant
    tables: Annotated[
        dict[str, list[dict[str, Any]]], Field(repr=False, json_schema_extra={"x-personal": True})
    ]
    next: ExportPlace = None


class UserEntry(BaseModel):
    """One account of a list."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    user_id: UUID
    kind: UserKind = UserKind.PERSON
    email: EmailOrNone = None
    email_verified: bool
    second_factor: bool = False
    status: UserStatus
    roles: tuple[RoleName, ...]
    created_at: Instant


class FoundUsers(Reply):
    """One page of accounts; `next` is where the one behind it begins, absent on the last."""

    sealed: ClassVar[bool] = True

    users: tuple[UserEntry, ...]
    next: EmailPart = None


class UserDetails(Reply):
    """One account, how many events it has had, and a page of its sessions: see `SessionList`."""

    sealed: ClassVar[bool] = True

    user: UserEntry
    sequence: Annotated[int, Field(ge=1)]
    sessions: tuple[SessionEntry, ...]
    next: SessionPlace | None = None
