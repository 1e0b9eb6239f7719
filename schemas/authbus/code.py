"""Why a command was refused: the codes of `Rejected`, and what each of them means."""

from dataclasses import dataclass

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
    def meaning(self) -> "Meaning":
        """Cause, cure and HTTP status. A code that this version does not know has a common one."""
        return MEANINGS.get(self, _UNKNOWN)

    @property
    def retryable(self) -> bool:
        """Whether the same command, with the same id, may be sent again and can succeed."""
        return self.meaning.retryable

    @property
    def http_status(self) -> int:
        """The HTTP status with which a web back end passes this refusal on: 4xx, 500 or 503.

        The code's name may go along, but for one whose `hidden` is true.
        """
        return self.meaning.http_status

    @property
    def retry_after(self) -> int | None:
        """Seconds for the header `Retry-After` beside `http_status`, or None: no such header."""
        return self.meaning.retry_after

    @property
    def hidden(self) -> bool:
        """Whether a stranger must not learn of it: not by code, status, text or a slower answer.

        It tells that somebody else has an account. Answer as if it had gone well.
        """
        return self.meaning.hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code means: why, what helps, and how a web back end passes it on (see `Code`)."""

    cause: str
    cure: str
    http_status: int
    retry_after: int | None = None
    retryable: bool = False
    hidden: bool = False


_UNKNOWN = Meaning(
    cause="A newer service has a code that this version of `authbus` does not know.",
    cure="Read `detail`; install the `authbus` of the service's version.",
    http_status=400,
)
MEANINGS: dict[Code, Meaning] = {
    Code.INVALID: Meaning(
        cause="A field is missing, unknown or out of bounds; `detail` names one that is known.",
        cure="Send what the command's schema asks for.",
        http_status=422,
    ),
    Code.INVALID_CREDENTIALS: Meaning(
        cause="No account with this address and password, or it is shut or locked.",
        cure="Let the user type again, or set a new password by mail. Never say which was wrong.",
        http_status=401,
    ),
    Code.INVALID_TOKEN: Meaning(
        cause="The token is not of this session, or no longer good.",
        cure="Refresh the session once; where that is refused too, let the user log in again.",
        http_status=401,
    ),
    Code.TOKEN_ROTATED: Meaning(
        cause="Another command has just changed this refresh token.",
        cure="Use the tokens that the other one was given.",
        http_status=409,
    ),
    Code.SESSION_UNKNOWN: Meaning(
        cause="The user has no such session.",
        cure="List the sessions anew: it may have ended, and is forgotten 30 days later.",
        http_status=404,
    ),
    Code.FORBIDDEN: Meaning(
        cause="Whoever asks has no role with the permission that this needs.",
        cure="An administrator grants such a role (`GrantRole`).",
        http_status=403,
    ),
    Code.USER_UNKNOWN: Meaning(
        cause="There is no such user.",
        cure="Look the id up (`FindUsers`): the account may be erased.",
        http_status=404,
    ),
    Code.VERSION_CONFLICT: Meaning(
        cause="The profile was changed meanwhile; `detail` names its version.",
        cure="Read the profile, make the change on it, send it with that version.",
        http_status=409,
    ),
    Code.ROLE_UNKNOWN: Meaning(
        cause="There is no such role.",
        cure="Take one that is declared in the file of `AUTHBUS_ROLES`, or declare it there.",
        http_status=422,
    ),
    Code.EMAIL_INVALID: Meaning(
        cause="The address is not one that can get mail.",
        cure="Let the user type it again.",
        http_status=422,
    ),
    Code.EMAIL_TAKEN: Meaning(
        cause="There is an account with this address.",
        cure="Never show this to a stranger: answer as if it had gone well. An administrator may "
        "see it.",
        http_status=409,
        hidden=True,
    ),
    Code.EMAIL_VERIFIED: Meaning(
        cause="The address was verified before.",
        cure="Nothing is left to do.",
        http_status=409,
    ),
    Code.CODE_INVALID: Meaning(
        cause="The code is wrong or unknown, used, past its time, or one guess too many.",
        cure="Let the user type it again, or ask for a new one. After a hundred wrong ones of "
        "their app in a row only `authbus users unlock` helps.",
        http_status=422,
    ),
    Code.CHALLENGE_INVALID: Meaning(
        cause="The challenge is unknown, used, or past its time.",
        cure="Begin the log-in again.",
        http_status=401,
    ),
    Code.STEP_UP_REQUIRED: Meaning(
        cause="The second factor was shown too long ago.",
        cure="`StepUp` with a code of the user, then ask again.",
        http_status=403,
    ),
    Code.FACTOR_ENABLED: Meaning(
        cause="A second factor is enabled already.",
        cure="Disable it first.",
        http_status=409,
    ),
    Code.FACTOR_MISSING: Meaning(
        cause="No second factor is enabled, or none has been started within the hour.",
        cure="Start one (`StartTotp`), then confirm it.",
        http_status=409,
    ),
    Code.TOO_SOON: Meaning(
        cause="A mail or another address was asked for less than a minute ago, or five times in a "
        "day; or too many accounts were asked for from one address in an hour; or a service "
        "account has 1,000 sessions.",
        cure="Wait a minute, then ask with a new command; where it stays so, later in the day. "
        "A service keeps its token for as long as it is good.",
        http_status=429,
        retry_after=60,
    ),
    Code.PASSWORD_HASH_REFUSED: Meaning(
        cause="The hash has no known form or costs too much; `detail` says why.",
        cure="Import the account without it: its user sets a new password by mail.",
        http_status=422,
    ),
    Code.PASSWORD_TOO_SHORT: Meaning(
        cause="The password has too few characters.",
        cure="Let the user choose a longer one.",
        http_status=422,
    ),
    Code.PASSWORD_TOO_LONG: Meaning(
        cause="The password has too many bytes.",
        cure="Let the user choose a shorter one.",
        http_status=422,
    ),
    Code.PASSWORD_COMMON: Meaning(
        cause="The password is on the list of common ones.",
        cure="Let the user choose one that others do not have.",
        http_status=422,
    ),
    Code.PASSWORD_PERSONAL: Meaning(
        cause="The password is made of the user's own words.",
        cure="Let the user choose one that is not made of address or name.",
        http_status=422,
    ),
    Code.BUSY: Meaning(
        cause="Not decided, nothing has happened: more log-ins came than can be handled in time.",
        cure="Send the same command again, with the same id. `AuthClient` does so by itself.",
        http_status=503,
        retry_after=1,
        retryable=True,
    ),
    Code.EXPIRED: Meaning(
        cause="Read too late; nothing has happened.",
        cure="Ask with a new command, if somebody still waits for it.",
        http_status=503,
        retry_after=1,
    ),
    Code.IDEMPOTENCY_MISMATCH: Meaning(
        cause="The id was used for another command.",
        cure="Make an id for each command; keep it for retries of that one alone.",
        http_status=422,
    ),
    Code.WRONG_TOPIC: Meaning(
        cause="The command belongs on another topic; `detail` names it.",
        cure="Mend the producer: send it there.",
        http_status=500,
    ),
    Code.UNKNOWN_TYPE: Meaning(
        cause="No such command, or no such version of it.",
        cure="Mend the producer, or bring the service to the version that knows it.",
        http_status=500,
    ),
    Code.STALE_ID: Meaning(
        cause="The id is no UUIDv7, or its time is far from the record's.",
        cure="Set the producer's clock; make the id when the command is made, and make a retry "
        "that is sealed anew within 10 minutes of it.",
        http_status=500,
    ),
}
