"""The rules of a second factor, and of showing once more that one is who one is."""

import base64
from dataclasses import dataclass

from authbus.code import Code as Refusal
from authbus.message import Secret
from authbus.second_factor import (
    ConfirmTotp,
    DisableTotp,
    FactorEndReason,
    SessionElevated,
    StartTotp,
    SteppedUp,
    StepUp,
    TotpDisabled,
    TotpEnabled,
    TotpIsDisabled,
    TotpIsEnabled,
    TotpRequested,
    TotpStarted,
)
from authbus_service.auth.mails import Template
from tests.model.entering import code_used
from tests.model.expected import By, Expected, Letter, Told, notice, refused, take_tokens
from tests.model.people import BEGUN, Account, Factor, Model, Session


@dataclass
class Shown:
    """Somebody has shown their password again: this session goes on, and guesses are settled."""

    session: Session
    key: tuple[str, str]

    @property
    def account(self) -> Account:
        return self.session.owner


def is_fresh(model: Model, session: Session) -> bool:
    """Whether the second factor was shown lately in this session, where there is one."""
    lately = model.at < session.shown + model.policy.step_up
    return not session.owner.has_factor or ("mfa" in session.amr and lately)


def by_password(
    model: Model, token: Secret, password: Secret, judged: Refusal | None = None
) -> Shown | Refusal:
    """Who asks, by token and password. `judged` is what is wrong before the password is looked at.

    A right one forgives wrong ones only when the command is done: see `settled`.
    """
    session = model.holder(token.get_secret_value())
    if session is None:
        return Refusal.INVALID_TOKEN
    account = model.focus = session.owner
    if not is_fresh(model, session):
        return Refusal.STEP_UP_REQUIRED
    if judged is not None:
        return judged
    key = ("own", str(account.id))
    if not model.guesses.admits(key, None, model.at):
        return Refusal.INVALID_CREDENTIALS
    if account.password is None or account.password != password.get_secret_value():
        model.guesses.fail(key, None, model.at, account)
        return Refusal.INVALID_CREDENTIALS
    return Shown(session, key)


def start_totp(model: Model, asked: StartTotp, _: By) -> Expected:
    who = by_password(model, asked.access_token, asked.password)
    if isinstance(who, Refusal):
        return refused(who)
    if who.account.has_factor:
        return refused(Refusal.FACTOR_ENABLED)
    model.guesses.clear(who.key)
    factor = who.account.factor = Factor(model.at)

    def learn(reply: TotpStarted) -> None:
        factor.secret = base64.b32decode(reply.secret.get_secret_value())

    return Expected(TotpStarted, told=[Told(TotpRequested, who.account)], learn=learn)


def confirm_totp(model: Model, asked: ConfirmTotp, _: By) -> Expected:
    who = _by_code(model, asked.access_token)
    if isinstance(who, Refusal):
        return refused(who)
    factor, account = who.account.factor, who.account
    if account.has_factor:
        return refused(Refusal.FACTOR_ENABLED)
    if factor is None or model.at >= factor.made + BEGUN:
        return refused(Refusal.FACTOR_MISSING)
    if code_used(model, account, asked.code.get_secret_value()) is None:
        return _wrong_code(model, who)
    model.guesses.clear(who.key)
    factor.is_on = True
    elevated = _elevated(model, who.session)

    def learn(reply: TotpIsEnabled) -> None:
        factor.recovery = [each.get_secret_value() for each in reply.recovery_codes]

    return Expected(
        TotpIsEnabled,
        told=[Told(TotpEnabled, account), elevated],
        mails=notice(account, Template.SECOND_FACTOR_ON),
        learn=learn,
    )


def disable_totp(model: Model, asked: DisableTotp, _: By) -> Expected:
    who = _by_code(model, asked.access_token)
    if isinstance(who, Refusal):
        return refused(who)
    if not who.account.has_factor:
        return refused(Refusal.FACTOR_MISSING)
    if code_used(model, who.account, asked.code.get_secret_value()) is None:
        return _wrong_code(model, who)
    model.guesses.clear(who.key)
    account = who.account
    told, mails = factor_gone(account, FactorEndReason.REQUESTED)
    return Expected(TotpIsDisabled, {"user_id": account}, [told], mails)


def step_up(model: Model, asked: StepUp, _: By) -> Expected:
    who = _by_code(model, asked.access_token)
    if isinstance(who, Refusal):
        return refused(who)
    if not who.account.has_factor:
        return refused(Refusal.FACTOR_MISSING)
    used = code_used(model, who.account, asked.code.get_secret_value())
    if used is None:
        return _wrong_code(model, who)
    model.guesses.clear(who.key)
    told = [used, _elevated(model, who.session)]
    return Expected(
        SteppedUp, told=told, learn=lambda reply: take_tokens(model, who.session, reply)
    )


def factor_gone(account: Account, reason: FactorEndReason) -> tuple[Told, list[Letter]]:
    """Log-ins need the password alone from now on."""
    account.factor = None
    told = Told(TotpDisabled, account, {"reason": reason})
    return told, notice(account, Template.SECOND_FACTOR_OFF)


def _by_code(model: Model, token: Secret) -> Shown | Refusal:
    session = model.holder(token.get_secret_value())
    if session is None:
        return Refusal.INVALID_TOKEN
    model.focus = session.owner
    key = ("own factor", str(session.owner.id))
    admitted = model.guesses.admits(key, None, model.at)
    return Shown(session, key) if admitted else Refusal.CODE_INVALID


def _wrong_code(model: Model, who: Shown) -> Expected:
    model.guesses.fail(who.key, None, model.at)
    return refused(Refusal.CODE_INVALID)


def _elevated(model: Model, session: Session) -> Told:
    session.amr = tuple(dict.fromkeys((*session.amr, "otp", "mfa")))
    session.shown = model.at
    return Told(SessionElevated, session.owner, {"session_id": session, "amr": session.amr})
