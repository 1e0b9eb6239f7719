"""StepUp: a user shows their second factor once more, for what could take their account away."""

from dataclasses import replace

from authbus.replies import Code, Rejected
from authbus.second_factor import StepUp
from authbus_service.auth.case import Case
from authbus_service.auth.factors.service import passes
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Elevated, Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import by_code
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.tokens import granted
from authbus_service.auth.stepping_up import elevated, use_told


async def prepare(command: StepUp, request: Request, tools: Tools) -> Proof:
    """Read the token, count the guess; the factor is loaded under its user's lock."""
    return await by_code(command.access_token, request, tools)


def decide(command: StepUp, case: Case) -> Outcome:
    """A token that says so, if the code was never used."""
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    factor, masters = case.rows.factor(who.user.id), case.request.derived.masters
    if factor is None or not who.user.second_factor:
        return refused(Code.FACTOR_MISSING)
    passed = passes(factor, command.code.get_secret_value(), masters, case.at)
    if passed is None:
        return Outcome(Rejected.because(Code.CODE_INVALID), settled=Settled.FAILED)
    told = elevated(case, who)
    after = replace(who.session, amr=told.amr, authenticated_at=case.at)
    return Outcome(
        granted(Elevated, case, who.user, after),
        (use_told(case, who.user, factor, passed), told),
        settled=Settled.CLEARED,
    )
