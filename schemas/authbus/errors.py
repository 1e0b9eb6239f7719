"""What may go wrong for a producer or a downstream module. No text repeats a secret."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from authbus.replies import Code

APPLY = "authbus topics apply"


class AuthError(Exception):
    """The base of all errors of authbus' clients.

    `http_status` is the status with which a web back end answers its own caller, `retry_after` the
    seconds for `Retry-After` beside it, or None. `errors.md` has them all.
    """

    http_status: int = 500
    retry_after: int | None = None


class AuthTimeout(AuthError):
    """No answer, in time or before the client closed: the command may have had its effect.

    Send it again with the same `command_id`: it has its effect once, and the answer is the same.
    `expired` is the answer where it was read too late and never has one: ask with a new id.
    """

    http_status = 503
    retry_after = 1

    def __init__(self, command_id: UUID) -> None:
        super().__init__(f"no answer in time; ask again with command_id={command_id}")
        self.command_id = command_id


class AuthRejected(AuthError):
    """The service refused. `retryable`: the same command, with the same id, may succeed later.

    Before a stranger sees status or code, look at `code.hidden`.
    """

    def __init__(self, code: Code, detail: str, *, retryable: bool, command_id: UUID) -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.http_status = code.http_status
        self.retry_after = code.retry_after
        self.detail = detail
        self.retryable = retryable
        self.command_id = command_id


class AuthUnavailable(AuthError):
    """Nothing was asked: Kafka, a right on it or the service's keys are missing."""

    http_status = 503
    retry_after = 5


class MissingTopic(AuthUnavailable):
    """A topic is not there, or this client has no right to see it."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics = tuple(sorted(topics))
        super().__init__(
            f"missing, or not to be seen by this client: {', '.join(self.topics)}. "
            f"Is `namespace=` right? `{APPLY}` creates what is missing; the client itself is "
            "declared in AUTHBUS_CLIENTS"
        )


class SecondFactorNeeded(AuthError):
    """The password was right. `challenge` and a code of the user complete the log-in.

    It is a secret, good once until `expires_at`: `auth.factors.complete_log_in(challenge, code)`.
    """

    http_status = 401

    def __init__(self, challenge: str, expires_at: datetime) -> None:
        super().__init__("a second factor is needed")
        self.challenge = challenge
        self.expires_at = expires_at


class TokenInvalid(AuthError):
    """Not to be believed. `reason` is a stable word and holds nothing of the token."""

    http_status = 401

    def __init__(self, reason: str) -> None:
        super().__init__(f"token not valid: {reason}")
        self.reason = reason


class TokenExpired(TokenInvalid):
    """The token was right and its time is over."""

    def __init__(self) -> None:
        super().__init__("expired")


class TokenRevoked(TokenInvalid):
    """The session of this token has ended."""

    def __init__(self) -> None:
        super().__init__("session_ended")


class PermissionMissing(AuthError):
    """The token is good, and does not permit what is asked."""

    http_status = 403

    def __init__(self, permission: str) -> None:
        super().__init__(f"not permitted: {permission}")
        self.permission = permission


class StepUpRequired(AuthError):
    """The token is good, but its user authenticated too long ago, or not in the way needed."""

    http_status = 403

    def __init__(self) -> None:
        super().__init__("the user must authenticate again")


class FeedStale(TokenInvalid):
    """Nobody knows whether the session has ended: the feed of ended sessions lags or is silent.

    Nor whether a key that is not known is a new one; so it is then also with `on_stale="accept"`.
    """

    http_status = 503
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("feed_stale")
