"""StartTotp: a secret for the user's app. It counts once a first code has come back."""

from dataclasses import replace

from authbus.replies import Code
from authbus.second_factor import StartTotp, TotpRequested
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Enrolling, Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import by_password, proven
from authbus_service.auth.request import Request


async def prepare(command: StartTotp, request: Request, tools: Tools) -> Proof:
    """Verify the password: whoever took a token could shut its user out by an app of their own."""
    proof = await by_password(command.access_token, command.password, request, tools)
    return replace(proof, factor=True)


def decide(_: StartTotp, case: Case) -> Outcome:
    """A secret in the place of one that was never confirmed."""
    who = proven(case)
    if isinstance(who, Code):
        return refused(who)
    if who.user.second_factor:
        return refused(Code.FACTOR_ENABLED)
    requested = TotpRequested(**case.told(who.user))
    return Outcome(Enrolling(), (requested,), settled=Settled.CLEARED)
