"""Who asks, on rows as they are: for questions, and before anything is hashed."""

from datetime import datetime

from authbus.message import Secret
from authbus_service.auth.acting import Actor, actor
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request


async def acting_now(token: Secret, request: Request, tools: Tools, at: datetime) -> Actor | None:
    """The user who acts by this token, or None; nothing is read for one that is not ours."""
    acting = tools.token(token.get_secret_value())
    return acting and actor(acting, await tools.rows(Proof(acting=acting)), at, request.client.id)
