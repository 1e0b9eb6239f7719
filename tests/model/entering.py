"""The rules of coming in: registering, logging in, and what guesses do."""

from authbus.code import Code as Refusal
from authbus.commands import LogIn, RegisterUser
from authbus.events import UnlockReason, UserCreated, UserLocked, UserUnlocked
from authbus.message import SecretOrNone
from authbus.replies import LoggedIn, Registered
from authbus.second_factor import (
    CompleteLogIn,
    RecoveryCodeUsed,
    SecondFactorRequested,
    SecondFactorRequired,
    TotpUsed,
)
from authbus.service_accounts import LogInService, ServiceLoggedIn
from authbus_service.auth.mails import Template
from tests.model.expected import (
    By,
    Expected,
    Letter,
    Told,
    begun,
    notice,
    refused,
    step_of,
    take_tokens,
    totp_code,
)
from tests.model.people import CHALLENGE, LIVES, MACHINE, MOST_DEVICES, VERIFY, Account, Model

_NO = Refusal.INVALID_CREDENTIALS
# Places that producers name; whoever has one address of a /64 has them all.
PLACES = {"192.0.2.7": "seven", "2001:db8::1": "home", "2001:db8::2": "home"}
PASSWORDS = ("correct horse battery", "staple them together", "a third one, in turn")
BAD_PASSWORDS = {
    "hunter2": Refusal.PASSWORD_TOO_SHORT,
    "passwordpassword": Refusal.PASSWORD_COMMON,
    "example authbus": Refusal.PASSWORD_PERSONAL,
    "x" * 2000: Refusal.PASSWORD_TOO_LONG,
}
NO_ADDRESS = "no address at all"


def register(model: Model, asked: RegisterUser, _: By) -> Expected:
    password = asked.password.get_secret_value()
    if asked.email == NO_ADDRESS:
        return refused(Refusal.EMAIL_INVALID)
    if password in BAD_PASSWORDS:
        return refused(BAD_PASSWORDS[password])
    if not model.guesses.may_register(place_of(asked.ip_address, "register"), model.at):
        return refused(Refusal.TOO_SOON)
    if model.by_address(asked.email):
        return refused(Refusal.EMAIL_TAKEN)
    account = model.focus = Account(asked.email, model.at, password=password)
    model.accounts.append(account)
    code = account.code(VERIFY, model.at, account.email)
    may_mail = model.guesses.may_mail(asked.email, model.at)
    mails = [Letter(Template.VERIFY_EMAIL, asked.email, code)] if may_mail else []

    def learn(reply: Registered) -> None:
        account.id = reply.user_id

    return Expected(Registered, told=[Told(UserCreated, account)], mails=mails, learn=learn)


def log_in(model: Model, asked: LogIn, by: By) -> Expected:
    """Unknown, wrong, shut and locked are one refusal."""
    account, device = model.by_address(asked.email), _text(asked.device_token)
    known = account is not None and device in account.devices
    address = "" if asked.email == NO_ADDRESS else asked.email.lower()
    key = ("device", device or "") if known else ("address", address)
    place = None if known else place_of(asked.ip_address)
    if not model.guesses.admits(key, place, model.at):
        return refused(_NO)
    if account is None or account.password != asked.password.get_secret_value():
        return _wrong(model, key, place, account, locks=not known)
    model.focus = account
    if not account.is_active or (account.is_locked(model.at) and not known):
        model.guesses.fail(key, place, model.at, None if known else account)
        return refused(_NO)
    told = _lock_is_over(model, account)
    model.guesses.clear(key)
    if account.has_factor:
        return _half_in(model, account, told)
    is_named = asked.device is not None or device is not None
    entered = _entered(model, account, by, ("pwd",), device if known else None, named=is_named)
    entered.told = [*told, *entered.told]
    return entered


def complete_log_in(model: Model, asked: CompleteLogIn, by: By) -> Expected:
    challenge = model.by_code(asked.challenge.get_secret_value())
    if challenge is None or not challenge.is_open(CHALLENGE, model.at):
        return refused(Refusal.CHALLENGE_INVALID)
    account = challenge.owner
    device = _text(asked.device_token)
    known = device in account.devices
    key, place = ("factor", str(account.id)), None if known else place_of(asked.ip_address)
    if not model.guesses.admits(key, place, model.at):
        return refused(Refusal.CODE_INVALID)
    if not account.is_active or challenge.passwords != account.passwords or not account.has_factor:
        return refused(Refusal.CHALLENGE_INVALID)
    used = code_used(model, account, asked.code.get_secret_value())
    if used is None:
        model.guesses.fail(key, place, model.at)
        return refused(Refusal.CODE_INVALID)
    model.guesses.clear(key)
    challenge.is_used = True
    is_named = asked.device is not None or device is not None
    amr = ("pwd", "otp", "mfa")
    entered = _entered(model, account, by, amr, device if known else None, named=is_named)
    entered.told = [used, *entered.told]
    return entered


def log_in_service(model: Model, asked: LogInService, by: By) -> Expected:
    secret = model.by_code(asked.secret.get_secret_value())
    if secret is None or secret.owner.id != asked.user_id or not secret.owner.is_active:
        return refused(_NO)
    if not secret.is_open(MACHINE, model.at):
        return refused(_NO)
    account = model.focus = secret.owner
    told = begun(model, account, by.client, ())
    session = account.sessions[-1]

    def learn(reply: ServiceLoggedIn) -> None:
        session.id = reply.session_id
        take_tokens(model, session, reply)

    return Expected(ServiceLoggedIn, {"user_id": account}, told, learn=learn)


def code_used(model: Model, account: Account, typed: str) -> Told | None:
    """What is told when this is a code of the account's app, or a recovery code: each is once."""
    factor, code = account.factor, "".join(filter(str.isalnum, typed)).lower()
    if factor is None:
        return None
    if len(code) != len("123456"):
        left = [each for each in factor.recovery if each.replace("-", "") != code]
        if len(left) == len(factor.recovery):
            return None
        factor.recovery = left
        factor.used.append(typed)
        return Told(RecoveryCodeUsed, account, {"left": len(left)})
    now = step_of(model.at)
    right = [step for step in (now - 1, now, now + 1) if totp_code(factor.secret, step) == code]
    step = next((step for step in right if step > factor.last), None)
    if step is None:
        return None
    factor.last = step
    return Told(TotpUsed, account)


def place_of(address: str | None, of: str = "guess") -> tuple[str, str] | None:
    return None if address is None else (of, PLACES[address])


def _wrong(
    model: Model,
    key: tuple[str, str],
    place: tuple[str, str] | None,
    account: Account | None,
    *,
    locks: bool,
) -> Expected:
    """A wrong guess; one too many at an account locks it."""
    too_many = model.guesses.fail(key, place, model.at, account if locks else None)
    if account is None or not (locks and too_many) or account.is_locked(model.at):
        return refused(_NO)
    account.locked_until = model.at + model.policy.guessing.lock
    return refused(_NO, Told(UserLocked, account, {"until": account.locked_until}))


def _lock_is_over(model: Model, account: Account) -> list[Told]:
    if account.locked_until is None or account.is_locked(model.at):
        return []
    return [unlocked(model, account, UnlockReason.EXPIRED)]


def unlocked(model: Model, account: Account, reason: UnlockReason) -> Told:
    """The lock is gone, and so is what was guessed."""
    account.locked_until = None
    model.guesses.forgive(account)
    return Told(UserUnlocked, account, {"reason": reason})


def _half_in(model: Model, account: Account, told: list[Told]) -> Expected:
    challenge = account.code(CHALLENGE, model.at)

    def learn(reply: SecondFactorRequired) -> None:
        challenge.text = reply.challenge.get_secret_value()

    until = {"expires_at": model.at + LIVES[CHALLENGE]}
    told = [*told, Told(SecondFactorRequested, account)]
    return Expected(SecondFactorRequired, until, told, learn=learn)


def _entered(
    model: Model,
    account: Account,
    by: By,
    amr: tuple[str, ...],
    device: str | None,
    *,
    named: bool,
) -> Expected:
    """A session; a device that is not known is from now on, and its user is told by mail."""
    told, mails = begun(model, account, by.client, amr), list[Letter]()
    session = account.sessions[-1]
    if named and device is None and (account.devices or account.passwords):
        mails = notice(account, Template.NEW_DEVICE)

    def learn(reply: LoggedIn) -> None:
        session.id = reply.session_id
        take_tokens(model, session, reply)
        shown = _text(reply.device_token) or ""
        if device not in {None, shown}:
            raise AssertionError("a known device gets another token")
        others = [each for each in account.devices if each != shown]
        account.devices = [*others, shown][-MOST_DEVICES:]

    says = {"user_id": account, "session_expires_at": session.expires}
    return Expected(LoggedIn, says, told, mails, learn)


def _text(secret: SecretOrNone) -> str | None:
    return None if secret is None else secret.get_secret_value()
