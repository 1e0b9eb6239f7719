"""GetProfile: a user reads what they have said of themselves."""

from datetime import datetime

from authbus.commands import GetProfile
from authbus.message import Reply
from authbus.replies import Code, Rejected, UserProfile
from authbus_service.auth.asking import acting_now
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request


async def answer(command: GetProfile, request: Request, tools: Tools, at: datetime) -> Reply:
    """The profile of the token's user."""
    who = await acting_now(command.access_token, request, tools, at)
    if who is None:
        return Rejected.because(Code.INVALID_TOKEN)
    user = who.user
    return UserProfile(user_id=user.id, email=user.email or None, profile=user.profile)
