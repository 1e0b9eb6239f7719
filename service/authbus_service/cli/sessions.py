"""`authbus sessions`: a user's sessions, shown and ended, by the master key."""

from typing import Any
from uuid import UUID

from authbus.replies import SessionEntry, UserDetails
from authbus_service.cli.operator import Operator, as_operator
from authbus_service.cli.output import report, show, show_rows
from authbus_service.core import clock


def list_sessions(whose: str, *, client: str) -> None:
    """Print the live sessions and the newest that ended lately; no token, no address."""

    async def work(operator: Operator) -> list[UserDetails]:
        user_id = await operator.user_id(whose)
        return await operator.pages(operator.admin.get, user_id, ended_sessions=True)

    found = as_operator(client, work)
    rows = [_row(each, of) for of in found for each in of.sessions]
    show_rows(rows)
    if not rows:
        report(f"{found[0].user.user_id} has no session, and none has ended in the last 30 days")


def end(session_id: UUID, *, client: str) -> None:
    """End one session; exit 1 with `session_unknown` when there is none that goes on."""

    async def work(operator: Operator) -> int:
        return await operator.ask(operator.admin.end_sessions, session_id=session_id)

    show({"session_id": str(session_id), "ended": as_operator(client, work)})


def end_all(whose: str, *, client: str) -> None:
    """End all sessions of a user and print how many there were."""

    async def work(operator: Operator) -> tuple[UUID, int]:
        user_id = await operator.user_id(whose)
        return user_id, await operator.ask(operator.admin.end_sessions, user_id)

    user_id, count = as_operator(client, work)
    show({"user_id": str(user_id), "ended": count})


def _row(session: SessionEntry, of: UserDetails) -> dict[str, Any]:
    """`ends` is when it is over unless it is refreshed, `how` why it was ended."""
    return {
        "session_id": str(session.session_id),
        "user_id": str(of.user.user_id),
        "client": session.client_id,
        "kind": of.user.kind,
        "proven_by": " ".join(session.amr),
        "begun": session.started_at,
        "last_refresh": session.last_used_at,
        "ends": session.lapses_at,
        "ended": session.ended_at,
        "how": _how(session),
    }


def _how(session: SessionEntry) -> str:
    if session.end_reason is not None:
        return session.end_reason
    return "over" if session.lapses_at <= clock.now() else "live"
