"""Log-ins of people: by a password, and by a second factor where there is one."""

from authbus.addresses import canonical
from authbus.commands import CompleteLogIn, LogIn
from authbus.events import UnlockReason
from authbus.replies import Code, LoggedIn
from authbus.second_factor import SecondFactorRequested, SecondFactorRequired
from authbus.stepping_up import with_code
from authbus.testing import codes, guessing
from authbus.testing.factors import check, tell_use
from authbus.testing.guessing import source
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import Account, Guess
from authbus.testing.starting import log_in_by, text

_BY_PASSWORD = ("pwd",)


def log_in(memory: Memory, command: LogIn, ask: Ask) -> LoggedIn | SecondFactorRequired:
    """A session for whoever knows the password, or a challenge for their second factor."""
    address = canonical(command.email) or ""
    user = at(memory, address)
    shown = text(command.device_token)
    known = user is not None and shown in user.devices
    guess = Guess(("device", shown or ""), memory.now)
    if not known:
        guess = Guess(("account", address), memory.now, source(command.ip_address))
        guess.about = None if user is None else user.id
    guessing.admit(memory, guess)
    right = guessing.matches(user, command.password.get_secret_value())
    shut_out = user is None or (user.is_locked(memory.now) and not known)
    if user is None or shut_out or not right or not user.is_active:
        failures = guessing.fail(memory, guess)
        if user is not None and not (shut_out or right or known):
            guessing.lock_after(memory, user, ask.id, failures)
        raise Refusal(Code.INVALID_CREDENTIALS)
    guessing.clear(memory, guess.key)
    if user.locked_until is not None and not user.is_locked(memory.now):
        guessing.unlock(memory, user, ask.id, UnlockReason.EXPIRED)
    if not user.second_factor:
        return log_in_by(memory, user, command, _BY_PASSWORD, ask)
    challenge = codes.make(memory, user, "log_in", ask.id)
    memory.tell(user, SecondFactorRequested, ask.id)
    return SecondFactorRequired.model_validate(
        {"challenge": challenge.text, "expires_at": challenge.expires_at}
    )


def at(memory: Memory, address: str) -> Account | None:
    """Whose address it is, in its canonical form."""
    user_id = memory.addresses.get(address)
    return None if user_id is None else memory.users[user_id]


def complete_log_in(memory: Memory, command: CompleteLogIn, ask: Ask) -> LoggedIn:
    """The second half: the challenge stands for the password, unless that is another one now."""
    challenge = memory.codes.get(command.challenge.get_secret_value())
    if challenge is None or not challenge.is_open("log_in", memory.now):
        raise Refusal(Code.CHALLENGE_INVALID)
    user = memory.users[challenge.user_id]
    known = text(command.device_token) in user.devices
    place = None if known else source(command.ip_address)
    guess = Guess(("factor", str(user.id)), memory.now, place)
    guessing.admit(memory, guess, Code.CODE_INVALID)
    same = challenge.password_version == user.password_version
    if not (user.is_active and same and user.second_factor):
        raise Refusal(Code.CHALLENGE_INVALID)
    passed = check(memory, user, command.code, guess)
    tell_use(memory, user, passed, ask)
    answer = log_in_by(memory, user, command, with_code(_BY_PASSWORD), ask)
    challenge.used_at = memory.now
    return answer
