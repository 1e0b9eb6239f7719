"""DisableTotp: a user does without the second factor, which they show once more for it."""

from authbus.replies import Code, Rejected
from authbus.second_factor import DisableTotp, FactorEndReason, TotpDisabled, TotpIsDisabled
from authbus_service.auth.case import Case
from authbus_service.auth.factors.service import passes
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.mails import Template
from authbus_service.auth.notices import notice
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import by_code
from authbus_service.auth.request import Request


async def prepare(command: DisableTotp, request: Request, tools: Tools) -> Proof:
    """Read the token, count the guess; the factor is loaded under its user's lock."""
    return await by_code(command.access_token, request, tools)


def decide(command: DisableTotp, case: Case) -> Outcome:
    """It is gone, with its secret and its recovery codes."""
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    factor, masters = case.rows.factor(who.user.id), case.request.derived.masters
    if factor is None or not who.user.second_factor:
        return refused(Code.FACTOR_MISSING)
    if passes(factor, command.code.get_secret_value(), masters, case.at) is None:
        return Outcome(Rejected.because(Code.CODE_INVALID), settled=Settled.FAILED)
    disabled = TotpDisabled(**case.told(who.user), reason=FactorEndReason.REQUESTED)
    return Outcome(
        TotpIsDisabled(user_id=who.user.id),
        (disabled,),
        mails=notice(who.user, Template.SECOND_FACTOR_OFF),
        settled=Settled.CLEARED,
    )
