"""The rules of a password: changed by its user, or set anew by a code."""

from authbus.code import Code as Refusal
from authbus.events import (
    EndReason,
    PasswordChanged,
    PasswordReason,
    PasswordResetRequested,
    UnlockReason,
)
from authbus.password_commands import (
    ChangePassword,
    CompletePasswordReset,
    RequestPasswordReset,
)
from authbus.password_replies import PasswordIsChanged, ResetIsRequested
from authbus.second_factor import FactorEndReason
from authbus_service.auth.mails import Template
from tests.model.accounts import verified
from tests.model.entering import BAD_PASSWORDS, NO_ADDRESS, place_of, unlocked
from tests.model.expected import By, Expected, Letter, Told, all_ended, notice, refused
from tests.model.factors import by_password, factor_gone
from tests.model.people import LIVES, RESET, Account, Model


def change_password(model: Model, asked: ChangePassword, _: By) -> Expected:
    new = asked.new_password.get_secret_value()
    mine, bad = model.holder(asked.access_token.get_secret_value()), BAD_PASSWORDS.get(new)
    if bad is Refusal.PASSWORD_PERSONAL and mine is not None and not mine.owner.email:
        bad = None
    who = by_password(model, asked.access_token, asked.current_password, bad)
    if isinstance(who, Refusal):
        return refused(who)
    model.guesses.clear(who.key)
    changed = _new_password(who.account, new, PasswordReason.CHANGED)
    ends = all_ended(model, who.account, EndReason.PASSWORD_CHANGED, but=who.session)
    return _password_is_changed(who.account, [changed], ends)


def request_password_reset(model: Model, asked: RequestPasswordReset, _: By) -> Expected:
    """One answer to all, whether a mail goes out or not."""
    if asked.email == NO_ADDRESS:
        return refused(Refusal.EMAIL_INVALID)
    expected = Expected(ResetIsRequested, {"expires_at": model.at + LIVES[RESET]})
    key, place = ("reset", asked.email.lower()), place_of(asked.ip_address, "reset")
    if not model.guesses.admits(key, place, model.at):
        return expected
    model.guesses.fail(key, place, model.at)
    account = model.by_address(asked.email)
    if account is None or not account.is_active or not account.may_mail(RESET, model.at):
        return expected
    if not _may_write(model, account):
        return expected
    model.focus = account
    code = account.code(RESET, model.at, account.email)
    expected.told = [Told(PasswordResetRequested, account)]
    expected.mails = [Letter(Template.RESET_PASSWORD, account.email, code)]
    return expected


def _may_write(model: Model, account: Account) -> bool:
    """Whether such a mail goes to the account's address; it is counted, whosever that is."""
    if not account.is_verified:
        kept = model.guesses.may_use_kept
        return model.may_write_to(account) or kept(account.email, model.at)
    is_good = any(each.is_open(RESET, model.at) for each in account.codes)
    return model.guesses.may_reset(account.email, model.at, is_good=is_good)


def complete_password_reset(model: Model, asked: CompletePasswordReset, _: By) -> Expected:
    code, new = model.by_code(asked.code.get_secret_value()), asked.new_password.get_secret_value()
    if code is None or not code.is_open(RESET, model.at):
        return refused(Refusal.CODE_INVALID)
    if new in BAD_PASSWORDS:
        return refused(BAD_PASSWORDS[new])
    account = code.owner
    if not account.is_active or code.address != account.email:
        return refused(Refusal.CODE_INVALID)
    told = [_new_password(account, new, PasswordReason.RESET)]
    model.guesses.forgive(account)
    off: list[Letter] = []
    if not account.is_verified:
        told.append(verified(account))
        if account.has_factor:
            gone, off = factor_gone(account, FactorEndReason.PASSWORD_RESET)
            told.append(gone)
    if account.locked_until is not None:
        is_locked = account.is_locked(model.at)
        reason = UnlockReason.PASSWORD_RESET if is_locked else UnlockReason.EXPIRED
        told.append(unlocked(model, account, reason))
    changed = _password_is_changed(
        account, told, all_ended(model, account, EndReason.PASSWORD_CHANGED)
    )
    changed.mails += off
    return changed


def _new_password(account: Account, password: str, reason: PasswordReason) -> Told:
    account.new_password(password)
    return Told(PasswordChanged, account, {"reason": reason})


def _password_is_changed(account: Account, told: list[Told], ends: list[Told]) -> Expected:
    return Expected(
        PasswordIsChanged,
        {"sessions_ended": len(ends)},
        [*told, *ends],
        notice(account, Template.PASSWORD_CHANGED),
    )
