"""The second factor: set up, used, given up and taken away."""

from dataclasses import dataclass

from pydantic import SecretStr

from authbus import totp
from authbus.factor_codes import RECOVERY_CODES, is_recovery_code, plain, recovery_code
from authbus.replies import Code
from authbus.second_factor import (
    ConfirmTotp,
    DisableTotp,
    FactorEndReason,
    RecoveryCodeUsed,
    ResetSecondFactor,
    SecondFactorIsReset,
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
    TotpUsed,
)
from authbus.stepping_up import with_code
from authbus.testing import guessing, mailing
from authbus.testing.acting import access_token, acting, acting_afresh
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.permitting import administrator, named, refuse_more
from authbus.testing.rows import BEGUN, Account, Factor, Guess, Held, derived_bytes


@dataclass(frozen=True, slots=True)
class Passed:
    """A code that is right: the step of an app's code, or a recovery code."""

    step: int = 0
    recovery_code: str = ""


def check(memory: Memory, user: Account, typed: SecretStr, guess: Guess) -> Passed:
    """Refuse unless this is a code that was not used; a wrong one counts as a guess."""
    passed = None if user.factor is None else _passes(memory, user.factor, typed)
    if passed is None:
        guessing.fail(memory, guess)
        raise Refusal(Code.CODE_INVALID)
    guessing.clear(memory, guess.key)
    return passed


def _passes(memory: Memory, factor: Factor, typed: SecretStr) -> Passed | None:
    code = plain(typed.get_secret_value())
    if is_recovery_code(code):
        return Passed(recovery_code=code) if code in factor.recovery_codes else None
    step = totp.matching(factor.secret, code, memory.now, after=factor.last_step)
    return None if step is None else Passed(step=step)


def tell_use(memory: Memory, user: Account, passed: Passed, ask: Ask) -> None:
    """A code is used: it is good no more."""
    factor = user.factor
    if factor is None:
        return
    factor.last_step = max(factor.last_step, passed.step)
    if not passed.recovery_code:
        memory.tell(user, TotpUsed, ask.id)
        return
    left = tuple(each for each in factor.recovery_codes if each != passed.recovery_code)
    factor.recovery_codes = left
    memory.tell(user, RecoveryCodeUsed, ask.id, left=len(left))


def start_totp(memory: Memory, command: StartTotp, ask: Ask) -> TotpStarted:
    """A secret for the user's app, in the place of one that was never confirmed."""
    user, _ = acting_afresh(memory, command.access_token, ask)
    key = guessing.prove(memory, user, command.password.get_secret_value())
    if user.second_factor:
        raise Refusal(Code.FACTOR_ENABLED)
    guessing.clear(memory, key)
    secret = derived_bytes("totp", ask.id)[: totp.SECRET_BYTES]
    user.factor = Factor(secret, memory.now)
    memory.tell(user, TotpRequested, ask.id)
    issuer = memory.settings.totp_issuer
    uri = totp.uri(secret, label=command.label or issuer, issuer=issuer)
    return TotpStarted.model_validate({"secret": totp.as_text(secret), "otpauth_uri": uri})


def confirm_totp(memory: Memory, command: ConfirmTotp, ask: Ask) -> TotpIsEnabled:
    """It is enabled by a first code, shown in this session, and its recovery codes are told."""
    user, session, guess = _guessing(memory, command, ask)
    factor = user.factor
    if user.second_factor:
        raise Refusal(Code.FACTOR_ENABLED)
    if factor is None or memory.now >= factor.made_at + BEGUN:
        raise Refusal(Code.FACTOR_MISSING)
    factor.last_step = check(memory, user, command.code, guess).step
    guessing.clear(memory, ("factor", str(user.id)))
    each = range(RECOVERY_CODES)
    shown = tuple(recovery_code(derived_bytes("recovery", ask.id, index)) for index in each)
    factor.enabled_at, factor.recovery_codes = memory.now, tuple(map(plain, shown))
    memory.tell(user, TotpEnabled, ask.id)
    _elevate(memory, user, session, ask)
    mailing.notice(memory, user, "second_factor_on", ask.id)
    return TotpIsEnabled.model_validate({"recovery_codes": shown})


def disable_totp(memory: Memory, command: DisableTotp, ask: Ask) -> TotpIsDisabled:
    """A user does without it, by a last code."""
    user, _, guess = _guessing(memory, command, ask)
    if not user.second_factor:
        raise Refusal(Code.FACTOR_MISSING)
    check(memory, user, command.code, guess)
    drop(memory, user, ask, FactorEndReason.REQUESTED)
    return TotpIsDisabled(user_id=user.id)


def step_up(memory: Memory, command: StepUp, ask: Ask) -> SteppedUp:
    """A token that says that a code was shown now."""
    user, session, guess = _guessing(memory, command, ask)
    if not user.second_factor:
        raise Refusal(Code.FACTOR_MISSING)
    tell_use(memory, user, check(memory, user, command.code, guess), ask)
    _elevate(memory, user, session, ask)
    token, until = access_token(memory, user, session, ask)
    return SteppedUp.model_validate({"access_token": token, "access_token_expires_at": until})


def reset(memory: Memory, command: ResetSecondFactor, ask: Ask) -> SecondFactorIsReset:
    """An administrator takes it from a user who may do no more than they."""
    admin = administrator(memory, command.access_token, ask, "users:write", sensitive=True)
    user = named(memory, command.user_id)
    refuse_more(memory, admin, memory.permissions(user))
    if user.second_factor:
        drop(memory, user, ask, FactorEndReason.ADMIN, actor=f"admin:{admin.id}")
    return SecondFactorIsReset(user_id=user.id)


def _guessing(
    memory: Memory, command: ConfirmTotp | DisableTotp | StepUp, ask: Ask
) -> tuple[Account, Held, Guess]:
    user, session = acting(memory, command.access_token, ask)
    guess = Guess(("own factor", str(user.id)), memory.now)
    guessing.admit(memory, guess, Code.CODE_INVALID)
    return user, session, guess


def _elevate(memory: Memory, user: Account, session: Held, ask: Ask) -> None:
    session.amr, session.authenticated_at = with_code(session.amr), memory.now
    memory.tell(user, SessionElevated, ask.id, session_id=session.id, amr=session.amr)


def drop(
    memory: Memory, user: Account, ask: Ask, reason: FactorEndReason, *, actor: str = ""
) -> None:
    """Log-ins need the password alone from now on, and a mail says so."""
    user.factor = None
    memory.tell(user, TotpDisabled, ask.id, actor=actor, reason=reason)
    mailing.notice(memory, user, "second_factor_off", ask.id)
