"""Who administers: a user with a role that permits it, or an operator who holds the master key.

An administrator's token is no proof by itself: its session must be alive and its user active under
their locks, and what they may do is read from their row, not from the token.
"""

from dataclasses import dataclass
from uuid import UUID

from authbus.replies import Code
from authbus_service.auth import actors
from authbus_service.auth.acting import Actor
from authbus_service.auth.case import Case
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.stepping_up import is_fresh
from authbus_service.auth.users.user import User


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody who may do what was asked. `who` is None for an operator, who may do everything."""

    permissions: frozenset[str]
    who: Actor | None = None

    @property
    def name(self) -> str:
        """The `actor` of the events that they cause."""
        return actors.OPERATOR if self.who is None else actors.admin(self.who.user.id)

    def may_give(self, permissions: frozenset[str]) -> bool:
        """Whether they hold all of these themselves, or may hand out more than they have."""
        return Permission.ROLES_GRANT_ANY in self.permissions or permissions <= self.permissions


def administrator(
    case: Case, permission: Permission, *, sensitive: bool = False
) -> Administrator | Code:
    """Who asks for this command, or why not: `invalid_token` or `forbidden`.

    What is `sensitive` needs a second factor that was shown lately, where they have one.
    """
    found = _permitted(case, permission)
    if not sensitive or isinstance(found, Code) or found.who is None:
        return found
    return found if is_fresh(found.who, case.policy.step_up, case.at) else Code.STEP_UP_REQUIRED


def administered(
    case: Case, permission: Permission, user_id: UUID, *, sensitive: bool = False
) -> tuple[Administrator, User] | Code:
    """The same, with the user whom the command is about, or `user_unknown`."""
    admin = administrator(case, permission, sensitive=sensitive)
    if isinstance(admin, Code):
        return admin
    user = case.rows.user(user_id)
    return Code.USER_UNKNOWN if user is None else (admin, user)


def no_more(
    case: Case, permission: Permission, user_id: UUID, *, sensitive: bool = False
) -> tuple[Administrator, User] | Code:
    """The same, where the user may do no more than the administrator.

    Else administrators, or who stole a session of theirs, could gain rights by it or keep those who
    have more out of their accounts.
    """
    found = administered(case, permission, user_id, sensitive=sensitive)
    if isinstance(found, Code):
        return found
    admin, user = found
    return found if admin.may_give(case.policy.roles.permissions(user.roles)) else Code.FORBIDDEN


def _permitted(case: Case, permission: Permission) -> Administrator | Code:
    operator = case.proof.operator
    if operator is not None:
        good = operator.command_id == case.request.id and case.at < operator.expires_at
        return Administrator(frozenset(Permission)) if good else Code.INVALID_TOKEN
    who = case.who
    if who is None:
        return Code.INVALID_TOKEN
    held = case.policy.roles.permissions(who.user.roles)
    return Administrator(held, who) if permission in held else Code.FORBIDDEN
