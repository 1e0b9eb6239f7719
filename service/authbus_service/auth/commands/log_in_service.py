"""LogInService: a token for the machine that holds a service account's secret.

The secret has 256 bits and is found by its hash: nothing is gained by guessing, so no wrong one
keeps the right one out.
"""

from dataclasses import replace

from authbus.replies import Code
from authbus.service_accounts import LogInService
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import Outcome, ServiceGranted, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.starting import start_session


async def prepare(command: LogInService, _: Request, tools: Tools) -> Proof:
    """Find whose secret it is, under whose lock it stands."""
    proof, _found = await tools.by_code(command.secret)
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
