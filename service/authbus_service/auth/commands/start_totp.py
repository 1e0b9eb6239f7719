"""StartTotp: a secret for the user's app. It counts once a first code has come back."""

from dataclasses import replace

from authbus.replies import Code
from authbus.second_factor import StartTotp, TotpRequested
from authbus_service.auth.case import Case
from authbus_service.auth.factors.service import wrapped
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Enrolling, Outcome, Private, refused
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
    user = who.user
    if user.second_factor:
        return refused(Code.FACTOR_ENABLED)
    derived = case.request.derived
    return Outcome(
        Enrolling(),
        (TotpRequested(**case.told(user)),),
        Private(totp_secret=wrapped(derived.masters, user.id.bytes, derived.totp_secret)),
        settled=Settled.CLEARED,
    )
