"""An account is erased: its sessions end, then it is gone and its last event says so."""

from authbus.events import EndReason, UserErased
from authbus.replies import UserIsErased
from authbus.topics import COMMANDS_KEPT
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.admission import factor_key
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.users.user import User


def erased(case: Case, user: User, *, actor: str = "") -> Outcome:
    """The events that end everything, and the receipt. All live sessions must be loaded.

    The receipt tells when the last sealed command of this user has left its topic: none is later
    than this one, and a replay copies none that is older than a quarter of an hour.
    """
    ended = case.ending(user, EndReason.ERASED, actor=actor)
    gone = UserErased(**case.told(user, len(ended), actor=actor))
    receipt = UserIsErased(
        user_id=user.id, sessions_ended=len(ended), commands_gone_at=case.at + COMMANDS_KEPT
    )
    guessed_at = factor_key(case.request.derived.masters, user.id)
    return Outcome(receipt, (*ended, gone), cleared=(guessed_at,))
