"""UnlockUser: an administrator ends a lock that guesses brought."""

from authbus.addresses import canonical
from authbus.commands import UnlockUser
from authbus.events import UnlockReason, UserUnlocked
from authbus.replies import Code, UserIsUnlocked
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.admission import (
    account_key,
    device_key,
    factor_key,
    own_factor_key,
    own_key,
)
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.users import devices
from authbus_service.auth.users.user import User
from authbus_service.core.security.masters import Masters


async def prepare(command: UnlockUser, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token, user_id=command.user_id)


def decide(command: UnlockUser, case: Case) -> Outcome:
    """Unlock it, and forget all wrong guesses; one that is not locked is answered the same.

    Those too that lock no account: from a session or a known device, at a second factor, and those
    of before there was an account.
    """
    found = no_more(case, Permission.USERS_WRITE, command.user_id)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    answer = UserIsUnlocked(user_id=user.id)
    cleared = _keys(user, case.request.derived.masters)
    if user.locked_until is None:
        return Outcome(answer, cleared=cleared)
    unlocked = UserUnlocked(**case.told(user, actor=admin.name), reason=UnlockReason.ADMIN)
    return Outcome(answer, (unlocked,), cleared=cleared)


def _keys(user: User, masters: Masters) -> tuple[bytes, ...]:
    """All under which guesses at a user are counted."""
    address = canonical(user.email)
    return (
        *(() if address is None else (account_key(masters, address),)),
        *(device_key(masters, each) for each in devices.every(user.devices)),
        own_key(masters, user.id),
        factor_key(masters, user.id),
        own_factor_key(masters, user.id),
    )
