"""Why a command was refused: the codes of `Rejected`."""

from authbus.open_enum import OpenEnum


class Code(OpenEnum):
    """Why a command was refused. Codes are stable; new ones may come."""

    INVALID = "invalid"
    INVALID_CREDENTIALS = "invalid_credentials"
    INVALID_TOKEN = "invalid_token"
    TOKEN_ROTATED = "token_rotated"
    SESSION_UNKNOWN = "session_unknown"
    FORBIDDEN = "forbidden"
    USER_UNKNOWN = "user_unknown"
    VERSION_CONFLICT = "version_conflict"
    ROLE_UNKNOWN = "role_unknown"
    EMAIL_INVALID = "email_invalid"
    EMAIL_TAKEN = "email_taken"
    EMAIL_VERIFIED = "email_verified"
    CODE_INVALID = "code_invalid"
    CHALLENGE_INVALID = "challenge_invalid"
    STEP_UP_REQUIRED = "step_up_required"
    FACTOR_ENABLED = "factor_enabled"
    FACTOR_MISSING = "factor_missing"
    TOO_SOON = "too_soon"
    PASSWORD_HASH_REFUSED = "password_hash_refused"
    PASSWORD_TOO_SHORT = "password_too_short"
    PASSWORD_TOO_LONG = "password_too_long"
    PASSWORD_COMMON = "password_common"
    PASSWORD_PERSONAL = "password_personal"
    BUSY = "busy"
    EXPIRED = "expired"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    WRONG_TOPIC = "wrong_topic"
    UNKNOWN_TYPE = "unknown_type"
    STALE_ID = "stale_id"

    @property
    def retryable(self) -> bool:
        """Whether the same command, with the same id, may be sent again and can succeed."""
        return self is Code.BUSY
