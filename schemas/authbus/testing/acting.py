"""Who acts by an access token, and the tokens that a session is given."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from authbus.replies import Code
from authbus.stepping_up import was_shown
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import Account, Held


def acting(memory: Memory, token: SecretStr, ask: Ask) -> tuple[Account, Held]:
    """The user and the session of an access token. Refuses what is over, or another client's."""
    found = memory.mint.read(token.get_secret_value(), memory.now)
    user, session = (None, None) if found is None else _rows(memory, *found)
    if user is None or session is None or not user.is_active or not session.is_live(memory.now):
        raise Refusal(Code.INVALID_TOKEN)
    if session.client_id != ask.client_id:
        raise Refusal(Code.INVALID_TOKEN)
    return user, session


def acting_afresh(memory: Memory, token: SecretStr, ask: Ask) -> tuple[Account, Held]:
    """The same; who has a second factor must have shown it lately."""
    user, session = acting(memory, token, ask)
    within = memory.settings.step_up
    shown = was_shown(session.amr, session.authenticated_at, within, memory.now)
    if user.second_factor and not shown:
        raise Refusal(Code.STEP_UP_REQUIRED)
    return user, session


def _rows(memory: Memory, user_id: UUID, session_id: UUID) -> tuple[Account | None, Held | None]:
    return memory.users.get(user_id), memory.sessions.get(session_id)


def access_token(memory: Memory, user: Account, session: Held, ask: Ask) -> tuple[str, datetime]:
    """A new access token for a session, and until when it is good."""
    until = min(memory.now + memory.settings.access_token, session.expires_at)
    token = memory.mint.token(
        user,
        session,
        ask.id,
        audience=memory.audiences.get(session.client_id, (session.client_id,)),
        permissions=memory.permissions(user),
        life=(memory.now, until),
    )
    return token, until


def granted(memory: Memory, user: Account, session: Held, ask: Ask) -> dict[str, Any]:
    """What whoever holds the session is given."""
    token, until = access_token(memory, user, session, ask)
    return {
        "user_id": user.id,
        "session_id": session.id,
        "access_token": token,
        "access_token_expires_at": until,
        "refresh_token": session.tokens[-1],
        "session_expires_at": session.expires_at,
    }
