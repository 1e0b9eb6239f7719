"""LogIn: a session for whoever knows the password. Unknown, wrong and void are one answer."""

from datetime import datetime

from authbus.addresses import canonical
from authbus.commands import LogIn
from authbus.events import UserUnlocked
from authbus.replies import Code, Rejected
from authbus.second_factor import SecondFactorRequested
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.guessing.admission import account_key, admitted, device_key, source_key
from authbus_service.auth.guessing.attempt import Attempt, Settled, Verdict
from authbus_service.auth.locking import guessed_wrong, lock_is_over
from authbus_service.auth.outcome import Challenged, Outcome
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.starting import log_in
from authbus_service.auth.users import devices
from authbus_service.auth.users.service import holds
from authbus_service.auth.users.user import Credential, User

_PASSWORD = ("pwd",)


async def prepare(command: LogIn, request: Request, tools: Tools) -> Proof:
    """Verify the password: one question and one hash, whoever asks and whatever is wrong."""
    address = canonical(command.email) or ""
    found = await tools.credential(address)
    attempt = _attempt(command, request, address, found)
    match await admitted(attempt, tools.reserve):
        case Verdict.WAIT:
            return Proof(refusal=Rejected.because(Code.EXPIRED))
        case Verdict.REFUSED:
            await tools.hashes.pretend()
            return Proof(about=found.user_id if found else None)
        case Verdict.HELD:
            pass
    password = command.password.get_secret_value()
    verified = await tools.hashes.verify(found.password_hash if found else None, password)
    if found is None or not verified.ok:
        return Proof(user_id=found.user_id if found else None, attempt=attempt)
    again = ""
    if verified.rehash_needed:
        again = await tools.hashes.hash(password, request.derived.salt)
    return Proof(
        user_id=found.user_id,
        every_session=True,
        credential=found,
        password_hash=again,
        attempt=attempt,
    )


def decide(command: LogIn, case: Case) -> Outcome:
    """A session, if the proof still holds under the lock."""
    proof = case.proof
    user = case.rows.user(proof.user_id)
    if user is None or _is_shut_out(command, user, case.at) or not holds(proof.credential, user):
        return guessed_wrong(case, user)
    unlocked = lock_is_over(case, user)
    if user.second_factor:
        return _challenged(case, user, unlocked)
    return log_in(case, command, user, _PASSWORD, unlocked)


def _is_shut_out(command: LogIn, user: User, at: datetime) -> bool:
    """A lock is none for a device that its user is known by."""
    return user.is_locked(at) and devices.known(user.devices, command) is None


def _challenged(case: Case, user: User, unlocked: tuple[UserUnlocked, ...]) -> Outcome:
    """No session yet: a challenge that stands for the password until the code comes."""
    return Outcome(
        Challenged(expires_at=case.at + Purpose.LOG_IN.lifetime),
        (*unlocked, SecondFactorRequested(**case.told(user, len(unlocked)))),
        settled=Settled.CLEARED,
    )


def _attempt(command: LogIn, request: Request, address: str, found: Credential | None) -> Attempt:
    """What this log-in counts against: a device that its user is known by, else the account."""
    masters = request.derived.masters
    known = devices.known(found.devices if found else b"", command)
    if known is not None:
        return request.attempt(device_key(masters, known))
    return request.attempt(
        account_key(masters, address),
        source=source_key(masters, command.ip_address),
        user_id=found.user_id if found else None,
    )
