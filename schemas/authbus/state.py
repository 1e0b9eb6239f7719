"""State records: the last word on a user, a key or an ended session, on compacted topics."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from authbus.message import EmailOrNone, Instant, Message
from authbus.open_enum import OpenEnum
from authbus.profile import Profile


class UserStatus(OpenEnum):
    """What an account may do."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class UserKind(OpenEnum):
    """What an account is: a person's, or a machine's, which has no address."""

    PERSON = "person"
    SERVICE = "service"


class UserState(Message):
    """A user as of event `sequence`. The one record with personal data; a null value: erased."""

    model_config = ConfigDict(extra="ignore")

    user_id: UUID
    sequence: Annotated[int, Field(ge=1)]
    kind: UserKind = UserKind.PERSON
    email: EmailOrNone = None
    email_verified: bool = False
    status: UserStatus
    roles: tuple[str, ...] = ()
    profile: Profile = Profile()


class PublicKey(Message):
    """A public key, its use and its life.

    `signature` is a compact JWS of the rest under the root key.
    """

    model_config = ConfigDict(extra="ignore")

    kid: str
    use: Literal["sig", "enc"]
    jwk: dict[str, str]
    not_before: Instant
    retired_at: Instant | None = None
    signature: str


class SessionRevoked(Message):
    """A session that ended before its tokens did: access tokens with this `sid` are void."""

    model_config = ConfigDict(extra="ignore")

    session_id: UUID
    user_id: UUID
    ended_at: Instant


class FeedAlive(Message):
    """Every session that ended before `published_through` is on this partition by now."""

    model_config = ConfigDict(extra="ignore")

    published_through: Instant


class AuditRecord(Message):
    """One handled command: what was asked, by whom, about whose account, and what became of it.

    `outcome` is `done`, the code of the refusal, or `second_factor_required`. `actor` is who is
    shown to have asked (`user:<id>`, `admin:<id>`, `operator`), absent where nobody is. `source`
    stands for the address that the producer named: the same for the same address all month. A
    record without `command_id` counts what failed in the minute before its time beside those with a
    record of their own.
    """

    model_config = ConfigDict(extra="ignore")

    command: Annotated[str, StringConstraints(max_length=64)]
    command_id: UUID | None = None
    outcome: Annotated[str, StringConstraints(max_length=64)]
    actor: Annotated[str, StringConstraints(max_length=64)] | None = None
    subject: UUID | None = None
    client_id: Annotated[str, StringConstraints(max_length=64)]
    source: Annotated[str, StringConstraints(max_length=64)] | None = None
    count: Annotated[int, Field(ge=1)] = 1


class DeadLetterReason(OpenEnum):
    """Why a record could not be read, or never works."""

    BATCH_UNREADABLE = "batch_unreadable"
    BAD_RECORD = "bad_record"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    BAD_HEADER = "bad_header"
    SECRET_EXPOSED = "secret_exposed"  # noqa: S105 - a reason's name
    NOT_SEALED = "not_sealed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SEAL = "bad_seal"
    BAD_JSON = "bad_json"
    BAD_ENVELOPE = "bad_envelope"
    HEADER_MISMATCH = "header_mismatch"
    UNKNOWN_CLIENT = "unknown_client"
    REPLY_NOT_ALLOWED = "reply_not_allowed"
    FAILED = "failed"


class DeadLetter(Message):
    """A record that could not be read or never works: where it lies and why, not what it holds.

    `topic` has no namespace in front, `size` is in bytes, `digest` is SHA-256 of the value in hex.
    Where it stands for a whole batch that could not be read, `first_offset` is the batch's first
    offset and `offset` its last. `outbox` as topic: a row that never fits into a record.
    """

    model_config = ConfigDict(extra="ignore")

    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    first_offset: Annotated[int, Field(ge=0)] | None = None
    appended_at: Instant
    size: Annotated[int, Field(ge=0)]
    digest: str
    reason: DeadLetterReason


class Closing(OpenEnum):
    """Why a dead letter needs nobody any more."""

    HANDLED_ANEW = "handled_anew"
    DISCARDED = "discarded"


class DeadLetterClosed(Message):
    """A dead letter that needs nobody any more; its key is the letter's, which came before it.

    `letter_id` is the letter's `ce_id`. `outcome` of one that was handled anew is `done`, the code
    of the refusal, or `without_effect`.
    """

    model_config = ConfigDict(extra="ignore")

    letter_id: UUID
    how: Closing
    outcome: Annotated[str, StringConstraints(max_length=64)] | None = None
