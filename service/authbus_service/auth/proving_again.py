"""A user who is logged in authenticates again: an access token alone could be stolen."""

from collections.abc import Callable
from dataclasses import replace

from authbus.message import Secret
from authbus.replies import Code, Rejected
from authbus_service.auth.acting import Actor
from authbus_service.auth.asking import acting_now
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.admission import admitted, own_factor_key, own_key
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.stepping_up import is_fresh
from authbus_service.auth.users.service import holds
from authbus_service.auth.users.user import Credential, User
from authbus_service.core import clock

_NOT_THEIRS = Proof(refusal=Rejected.because(Code.INVALID_TOKEN))
_WRONG = Rejected.because(Code.INVALID_CREDENTIALS)


async def by_password(
    token: Secret,
    password: Secret,
    request: Request,
    tools: Tools,
    *,
    judge: Callable[[User], Rejected | None] = lambda _: None,
) -> Proof:
    """Read the token, then verify the password: a wrong one costs a hash and counts as a guess.

    Nothing is hashed for a token of no live session, where the second factor was shown too long
    ago, or for what `judge` refuses.
    """
    at = clock.now()
    who = await acting_now(token, request, tools, at)
    if who is None:
        return _NOT_THEIRS
    user = who.user
    if not is_fresh(who, tools.policy.step_up, at):
        return Proof(refusal=Rejected.because(Code.STEP_UP_REQUIRED), acting=who.acting)
    if (refusal := judge(user)) is not None:
        return Proof(refusal=refusal, acting=who.acting)
    attempt = request.attempt(own_key(request.derived.masters, user.id), user_id=user.id)
    if await admitted(attempt, tools.reserve) is not Verdict.HELD:
        await tools.hashes.pretend()
        return Proof(refusal=_WRONG, acting=who.acting)
    if not (await tools.hashes.verify(user.password_hash or None, password.get_secret_value())).ok:
        return Proof(refusal=_WRONG, acting=who.acting, attempt=attempt, user_id=user.id)
    return Proof(
        acting=who.acting,
        user_id=user.id,
        attempt=attempt,
        credential=Credential(user.id, user.password_hash, user.credential_version),
    )


async def by_code(token: Secret, request: Request, tools: Tools) -> Proof:
    """Read the token and count the guess at a code, which is judged under the lock."""
    who = await acting_now(token, request, tools, clock.now())
    if who is None:
        return _NOT_THEIRS
    proof = Proof(acting=who.acting, user_id=who.user.id, factor=True)
    key = own_factor_key(request.derived.masters, who.user.id)
    return await counted(proof, request.attempt(key), tools)


async def counted(proof: Proof, attempt: Attempt, tools: Tools) -> Proof:
    """The proof of a guess at a code, or a refusal that says no more than for a wrong one."""
    verdict = await admitted(attempt, tools.reserve)
    if verdict is Verdict.HELD:
        return replace(proof, attempt=attempt)
    code = Code.EXPIRED if verdict is Verdict.WAIT else Code.CODE_INVALID
    return Proof(refusal=Rejected.because(code), acting=proof.acting, about=proof.user_id)


def proven(case: Case) -> Actor | Code:
    """Who authenticated again by password, if that still holds under the lock; or why not."""
    who = case.who
    if who is None:
        return Code.INVALID_TOKEN
    if not holds(case.proof.credential, who.user):
        return Code.INVALID_CREDENTIALS
    fresh = is_fresh(who, case.policy.step_up, case.at)
    return who if fresh else Code.STEP_UP_REQUIRED
