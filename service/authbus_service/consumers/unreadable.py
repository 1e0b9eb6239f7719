"""Why a record goes to the dead letters: it has no answer, because nobody can be trusted to ask."""

from enum import StrEnum


class Reason(StrEnum):
    """Stable reason codes of auth.dead-letters.v1."""

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


class UnreadableError(Exception):
    """A record that cannot be taken as a command; it claims nothing."""

    def __init__(self, reason: Reason) -> None:
        """`reason` is all that is said."""
        super().__init__(str(reason))
        self.reason = reason
