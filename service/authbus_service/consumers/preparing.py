"""What `prepare` held is let go of where it raises: no decision settles it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from authbus_service.auth import handlers
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request


async def prepared(
    request: Request, tools: Tools, let_go: Callable[[Proof], Awaitable[None]]
) -> Proof:
    """The command's proof. Raises what `prepare` raises."""
    held: list[Attempt] = []

    async def reserve(attempt: Attempt) -> Verdict | None:
        verdict = await tools.reserve(attempt)
        if verdict is Verdict.HELD:
            held.append(attempt)
        return verdict

    try:
        return await handlers.prepare(request, replace(tools, reserve=reserve))
    except Exception:
        for each in held:
            await let_go(Proof.unjudged(each))
        raise
