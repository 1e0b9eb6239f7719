"""The rules of administrators: who may, and what they do to accounts."""

from collections.abc import Callable
from dataclasses import dataclass

from authbus.admin_commands import (
    DeactivateUser,
    EndUserSessions,
    EraseUser,
    ForcePasswordReset,
    GrantRole,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.code import Code as Refusal
from authbus.events import (
    EndReason,
    PasswordResetForced,
    RoleGranted,
    RoleRevoked,
    UnlockReason,
    UserDeactivated,
    UserReactivated,
)
from authbus.message import Secret
from authbus.password_replies import PasswordIsVoid
from authbus.replies import (
    AllSessionsEnded,
    UserIsActive,
    UserIsDeactivated,
    UserIsUnlocked,
    UserRoles,
)
from authbus.second_factor import FactorEndReason, ResetSecondFactor, SecondFactorIsReset
from authbus_service.auth.mails import Template
from tests.model.accounts import erased
from tests.model.entering import unlocked
from tests.model.expected import By, Expected, Letter, Told, all_ended, ended, refused
from tests.model.factors import factor_gone, is_fresh
from tests.model.people import RESET, Account, Model

GRANT_ANY = "roles:grant-any"


@dataclass(frozen=True)
class Administrator:
    """Somebody who may. None: an operator, who may do all."""

    permissions: frozenset[str] | None

    def may_give(self, permissions: frozenset[str]) -> bool:
        """Nobody hands out more than they have, unless they may."""
        mine = self.permissions
        return mine is None or GRANT_ANY in mine or permissions <= mine


def administrator(
    model: Model, token: Secret, by: By, permission: str, *, sensitive: bool = False
) -> Administrator | Refusal:
    """By an operator's proof for this command, or by the token of a user with such a role."""
    text = token.get_secret_value()
    if text in model.operators:
        good = model.operators[text] == by.id
        return Administrator(None) if good else Refusal.INVALID_TOKEN
    session = model.holder(text)
    if session is None:
        return Refusal.INVALID_TOKEN
    held = model.policy.roles.permissions(session.owner.roles)
    if permission not in held:
        return Refusal.FORBIDDEN
    if sensitive and not is_fresh(model, session):
        return Refusal.STEP_UP_REQUIRED
    return Administrator(held)


def _about(
    model: Model,
    asked: DeactivateUser
    | ReactivateUser
    | UnlockUser
    | ForcePasswordReset
    | EraseUser
    | ResetSecondFactor,
    by: By,
    then: Callable[[Account], Expected],
    *,
    permission: str = "users:write",
    sensitive: bool = False,
) -> Expected:
    """What is done to an account that is there and may do no more than whoever asks."""
    admin = administrator(model, asked.access_token, by, permission, sensitive=sensitive)
    if isinstance(admin, Refusal):
        return refused(admin)
    account = model.by_id(asked.user_id)
    if account is None:
        return refused(Refusal.USER_UNKNOWN)
    if not admin.may_give(model.policy.roles.permissions(account.roles)):
        return refused(Refusal.FORBIDDEN)
    model.focus = account
    return then(account)


def deactivate_user(model: Model, asked: DeactivateUser, by: By) -> Expected:
    def shut(account: Account) -> Expected:
        told: list[Told] = []
        if account.is_active:
            account.is_active = False
            told = all_ended(model, account, EndReason.DEACTIVATED)
            told.insert(0, Told(UserDeactivated, account, {"reason": asked.reason}))
        says = {"user_id": account, "sessions_ended": max(0, len(told) - 1)}
        return Expected(UserIsDeactivated, says, told)

    return _about(model, asked, by, shut)


def reactivate_user(model: Model, asked: ReactivateUser, by: By) -> Expected:
    def opened(account: Account) -> Expected:
        told = [] if account.is_active else [Told(UserReactivated, account)]
        account.is_active = True
        return Expected(UserIsActive, {"user_id": account}, told)

    return _about(model, asked, by, opened)


def unlock_user(model: Model, asked: UnlockUser, by: By) -> Expected:
    def free(account: Account) -> Expected:
        places = [("address", account.email.lower())] if account.email else []
        devices = [("device", each) for each in account.devices]
        id_ = str(account.id)
        own = [(each, id_) for each in ("own", "factor", "own factor")]
        for key in (*places, *devices, *own):
            model.guesses.clear(key)
        is_locked = account.locked_until is not None
        told = [unlocked(model, account, UnlockReason.ADMIN)] if is_locked else []
        return Expected(UserIsUnlocked, {"user_id": account}, told)

    return _about(model, asked, by, free)


def force_password_reset(model: Model, asked: ForcePasswordReset, by: By) -> Expected:
    """The password is void, and every code got by the old one; a shut account gets no mail."""

    def void(account: Account) -> Expected:
        if not account.email:
            return refused(Refusal.USER_UNKNOWN)
        account.new_password(None)
        ends = all_ended(model, account, EndReason.ADMIN)
        mails: list[Letter] = []
        if account.is_active:
            code = account.code(RESET, model.at, account.email)
            mails.append(Letter(Template.FORCE_RESET, account.email, code))
        says = {"user_id": account, "sessions_ended": len(ends)}
        return Expected(PasswordIsVoid, says, [Told(PasswordResetForced, account), *ends], mails)

    return _about(model, asked, by, void)


def erase_user(model: Model, asked: EraseUser, by: By) -> Expected:
    return _about(
        model,
        asked,
        by,
        lambda account: erased(model, account),
        permission="users:erase",
        sensitive=True,
    )


def end_user_sessions(model: Model, asked: EndUserSessions, by: By) -> Expected:
    """All of a user, or one; with both, it must be theirs."""
    admin = administrator(model, asked.access_token, by, "users:write")
    if isinstance(admin, Refusal):
        return refused(admin)
    session = model.by_session(asked.session_id)
    account = model.by_id(asked.user_id)
    if asked.user_id is not None and account is None:
        return refused(Refusal.USER_UNKNOWN)
    if asked.session_id is None:
        if account is None:
            return refused(Refusal.USER_UNKNOWN)
        told = all_ended(model, account, EndReason.ADMIN)
        return Expected(AllSessionsEnded, {"count": len(told)}, told)
    if session is None or not session.is_live(model.at) or account not in {None, session.owner}:
        return refused(Refusal.SESSION_UNKNOWN)
    return Expected(AllSessionsEnded, {"count": 1}, [ended(model, session, EndReason.ADMIN)])


def grant_role(model: Model, asked: GrantRole, by: By) -> Expected:
    admin = administrator(model, asked.access_token, by, "roles:grant", sensitive=True)
    if isinstance(admin, Refusal):
        return refused(admin)
    if asked.role not in model.policy.roles.declared:
        return refused(Refusal.ROLE_UNKNOWN)
    account = _given(model, admin, asked)
    if isinstance(account, Refusal):
        return refused(account)
    told = [] if asked.role in account.roles else [Told(RoleGranted, account, {"role": asked.role})]
    account.roles.add(asked.role)
    return Expected(UserRoles, _roles(account), told)


def revoke_role(model: Model, asked: RevokeRole, by: By) -> Expected:
    admin = administrator(model, asked.access_token, by, "roles:grant", sensitive=True)
    if isinstance(admin, Refusal):
        return refused(admin)
    account = _given(model, admin, asked)
    if isinstance(account, Refusal):
        return refused(account)
    told = [Told(RoleRevoked, account, {"role": asked.role})] if asked.role in account.roles else []
    account.roles.discard(asked.role)
    return Expected(UserRoles, _roles(account), told)


def reset_second_factor(model: Model, asked: ResetSecondFactor, by: By) -> Expected:
    def taken(account: Account) -> Expected:
        says = {"user_id": account}
        if not account.has_factor:
            return Expected(SecondFactorIsReset, says)
        told, mails = factor_gone(account, FactorEndReason.ADMIN)
        return Expected(SecondFactorIsReset, says, [told], mails)

    return _about(model, asked, by, taken, sensitive=True)


def _given(model: Model, admin: Administrator, asked: GrantRole | RevokeRole) -> Account | Refusal:
    """Who gets a role or loses it."""
    if not admin.may_give(model.policy.roles.permissions([asked.role])):
        return Refusal.FORBIDDEN
    return model.by_id(asked.user_id) or Refusal.USER_UNKNOWN


def _roles(account: Account) -> dict[str, object]:
    return {"user_id": account, "roles": tuple(sorted(account.roles))}
