"""CompleteLogIn: the second half of a log-in. The challenge stands for the password."""

from dataclasses import replace
from uuid import UUID

from authbus.replies import Code, Rejected
from authbus.second_factor import CompleteLogIn
from authbus.stepping_up import with_code
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.factors.service import passes
from authbus_service.auth.guessing.admission import factor_key, source_key
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import counted
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.starting import log_in
from authbus_service.auth.stepping_up import use_told
from authbus_service.auth.users import devices
from authbus_service.auth.users.user import User
from authbus_service.core import clock

AMR = with_code(["pwd"])
_OVER = Rejected.because(Code.CHALLENGE_INVALID)


async def prepare(command: CompleteLogIn, request: Request, tools: Tools) -> Proof:
    """Find whose challenge it is, and count the guess at a code, which is judged under the lock."""
    proof, found = await tools.by_code(command.challenge)
    if found is None or not found.is_open(Purpose.LOG_IN, clock.now()):
        return Proof(refusal=_OVER, about=proof.user_id)
    attempt = request.attempt(
        factor_key(request.derived.masters, found.user_id),
        source=await _source(command, found.user_id, request, tools),
        lasts=True,
    )
    loads = replace(proof, every_code=False, every_session=True, factor=True)
    return await counted(loads, attempt, tools)


def decide(command: CompleteLogIn, case: Case) -> Outcome:
    """A session, if the challenge is still good under the lock and the code was never used."""
    user = _challenged(case)
    factor = None if user is None else case.rows.factor(user.id)
    if user is None or factor is None or not user.second_factor:
        return refused(Code.CHALLENGE_INVALID)
    masters = case.request.derived.masters
    passed = passes(factor, command.code.get_secret_value(), masters, case.at)
    if passed is None:
        return Outcome(Rejected.because(Code.CODE_INVALID), settled=Settled.FAILED)
    return log_in(case, command, user, AMR, (use_told(case, user, factor, passed),))


async def _source(
    command: CompleteLogIn, user_id: UUID, request: Request, tools: Tools
) -> bytes | None:
    """From where it is guessed: from nowhere on a device that the user is known by, as in `LogIn`.

    The user is read where both are named, be the device known or not.
    """
    source = source_key(request.derived.masters, command.ip_address)
    if source is None or command.device_token is None:
        return source
    user = (await tools.rows(Proof(user_id=user_id))).user(user_id)
    known = user is not None and devices.known(user.devices, command) is not None
    return None if known else source


def _challenged(case: Case) -> User | None:
    """Whose challenge it is, unless it is over or its password is no longer theirs."""
    user, code = case.rows.user(case.proof.user_id), case.rows.code(case.proof.code_hash)
    if user is None or code is None or not code.is_open(Purpose.LOG_IN, case.at):
        return None
    same = code.credential_version == user.credential_version
    return user if user.is_active and same else None
