"""What the producer does: a life of one account, with one mistake and one command sent twice."""

from dataclasses import dataclass

from authbus import AuthClient, AuthRejected, TokenRevoked
from authbus_service.core.ids import new_id
from authbus_service.demo.screen import Screen

_EMAIL = "ana@example.com"
_PASSWORD = "correct horse battery"  # noqa: S105 - of a story
_WRONG = "correct horse butter"


@dataclass(frozen=True, slots=True)
class Told:
    """What was in the story and must not be readable on Kafka."""

    email: str
    secrets: tuple[str, ...]


async def tell_story(auth: AuthClient, screen: Screen) -> Told:
    """Register, a wrong password, log in, the same command again, log out."""
    user = await auth.register(email=_EMAIL, password=_PASSWORD)
    screen.tell("producer", f"registered {_EMAIL}", user_id=user.user_id)
    try:
        await auth.log_in(email=_EMAIL, password=_WRONG)
    except AuthRejected as refused:
        screen.tell("producer", "was refused with a wrong password", code=refused.code)

    command_id = new_id()
    session = await auth.log_in(email=_EMAIL, password=_PASSWORD, command_id=command_id)
    screen.tell("producer", "logged in", session_id=session.session_id)
    again = await auth.log_in(email=_EMAIL, password=_PASSWORD, command_id=command_id)
    screen.tell(
        "producer",
        "sent the same command again: one session, one answer",
        same_session=again.session_id == session.session_id,
    )
    claims = auth.verify(session.access_token)
    screen.tell("producer", "verified the token offline", user_id=claims.user_id)

    await auth.log_out(session)
    screen.tell("producer", "logged out", session_id=session.session_id)
    try:
        auth.verify(session.access_token)
    except TokenRevoked as refused:
        screen.tell("producer", "verified the same token again, offline", reason=refused.reason)
    tokens = (session.access_token, session.refresh_token)
    return Told(_EMAIL, (_PASSWORD, _WRONG, *map(str, tokens)))
