"""ConfirmTotp: the first code of the user's app enables it."""

from authbus.replies import Code, Rejected
from authbus.second_factor import ConfirmTotp, TotpEnabled
from authbus_service.auth.case import Case
from authbus_service.auth.factors.service import passes
from authbus_service.auth.guessing.admission import factor_key
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.mails import Template
from authbus_service.auth.notices import notice
from authbus_service.auth.outcome import Enrolled, Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import by_code
from authbus_service.auth.request import Request
from authbus_service.auth.stepping_up import elevated


async def prepare(command: ConfirmTotp, request: Request, tools: Tools) -> Proof:
    """Read the token, count the guess; the factor is loaded under its user's lock."""
    return await by_code(command.access_token, request, tools)


def decide(command: ConfirmTotp, case: Case) -> Outcome:
    """It is enabled, shown in this session, and its recovery codes are told this once.

    One that was begun long ago is none.
    """
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    factor, masters = case.rows.factor(who.user.id), case.request.derived.masters
    if who.user.second_factor:
        return refused(Code.FACTOR_ENABLED)
    if factor is None or not factor.can_be_confirmed(case.at):
        return refused(Code.FACTOR_MISSING)
    passed = passes(factor, command.code.get_secret_value(), masters, case.at)
    if passed is None:
        return Outcome(Rejected.because(Code.CODE_INVALID), settled=Settled.FAILED)
    return Outcome(
        Enrolled(),
        (TotpEnabled(**case.told(who.user)), elevated(case, who)),
        mails=notice(who.user, Template.SECOND_FACTOR_ON),
        settled=Settled.CLEARED,
        cleared=(factor_key(masters, who.user.id),),  # they were guesses at another one
    )
