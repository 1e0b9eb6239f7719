"""EraseAccount: a user erases their own account, by their token and their password."""

from dataclasses import replace

from authbus.commands import EraseAccount
from authbus.replies import Code
from authbus_service.auth.case import Case
from authbus_service.auth.erasing import erased
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import by_password, proven
from authbus_service.auth.request import Request


async def prepare(command: EraseAccount, request: Request, tools: Tools) -> Proof:
    """Read the token, then verify the password: a wrong one costs a hash and counts as a guess."""
    proof = await by_password(command.access_token, command.password, request, tools)
    return replace(proof, every_session=proof.credential is not None)


def decide(_: EraseAccount, case: Case) -> Outcome:
    """Erase it, if the proof of the password still holds under the lock."""
    who = proven(case)
    if isinstance(who, Code):
        return refused(who)
    return replace(erased(case, who.user), settled=Settled.CLEARED)
