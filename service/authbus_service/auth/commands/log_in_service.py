"""LogInService: a token for the machine that holds a service account's secret.

The secret has 256 bits and is found by its hash: nothing is gained by guessing, so no wrong one
keeps the right one out. But its sessions are counted: all of them end together.
"""

from dataclasses import replace

from authbus.replies import Code, Rejected
from authbus.service_accounts import LogInService
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import Outcome, ServiceGranted, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.starting import start_session

_MOST = 1000


async def prepare(command: LogInService, _: Request, tools: Tools) -> Proof:
    """Find whose secret it is, under whose lock it stands, and whether it has too many sessions.

    They are counted without the lock: those that log in at once may pass the bound together.
    """
    proof, found = await tools.by_code(command.secret)
    if found is not None and await tools.lookups.open(found.user_id, _MOST) == _MOST:
        return replace(proof, every_code=False, refusal=Rejected.because(Code.TOO_SOON))
    return replace(proof, every_code=False)


def decide(command: LogInService, case: Case) -> Outcome:
    """A session that lasts as long as its token."""
    user, code = case.rows.user(case.proof.user_id), case.rows.code(case.proof.code_hash)
    if user is None or code is None or user.id != command.user_id or not user.is_active:
        return refused(Code.INVALID_CREDENTIALS)
    if not code.is_open(Purpose.SERVICE_SECRET, case.at):
        return refused(Code.INVALID_CREDENTIALS)
    started = start_session(case, user, (), lifetime=case.policy.access_token_lifetime)
    return replace(started, answer=ServiceGranted.model_validate(started.answer.model_dump()))
