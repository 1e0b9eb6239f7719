"""What guesses do to an account: a wrong one may lock it, a right one finds the lock over."""

from authbus.events import UnlockReason, UserLocked, UserUnlocked
from authbus.replies import Code, Rejected
from authbus_service.auth import actors
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.users.user import User


def guessed_wrong(case: Case, user: User | None) -> Outcome:
    """The one refusal of a log-in. Where it was a wrong guess too many, the account is locked.

    What is guessed from a known device locks that device alone.
    """
    refusal = Rejected.because(Code.INVALID_CREDENTIALS)
    attempt, limits = case.proof.attempt, case.policy.guessing
    if user is None or attempt is None or attempt.user_id is None or user.is_locked(case.at):
        return Outcome(refusal, settled=Settled.FAILED)
    if not case.proof.is_wrong or not limits.locks(case.rows.failures(attempt.key, case.at) + 1):
        return Outcome(refusal, settled=Settled.FAILED)
    locked = UserLocked(**case.told(user, actor=actors.SERVICE), until=case.at + limits.lock)
    return Outcome(refusal, (locked,), settled=Settled.FAILED)


def lock_is_over(case: Case, user: User) -> tuple[UserUnlocked, ...]:
    """What is told before a log-in's own events, when an earlier lock has run out."""
    if user.locked_until is None or user.is_locked(case.at):
        return ()
    return (UserUnlocked(**case.told(user, actor=actors.SERVICE), reason=UnlockReason.EXPIRED),)
