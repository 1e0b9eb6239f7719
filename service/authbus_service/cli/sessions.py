"""`authbus sessions`: a user's sessions, shown and ended, by the master key."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from authbus.client import AuthClient
from authbus.replies import SessionEntry, UserDetails
from authbus.uuid7 import uuid7
from authbus_service.cli.output import report, show, show_rows
from authbus_service.cli.running import run_quietly
from authbus_service.cli.users import client_of, masters_of, proof_for
from authbus_service.core import clock
from authbus_service.core.config import load
from authbus_service.startup.errors import StartupError

T = TypeVar("T")


def list_sessions(whose: str, *, client: str) -> None:
    """Print the live sessions and the newest of those that are over; no token, no address."""

    async def work(operator: "_Operator") -> UserDetails:
        return await operator.sessions_of(await operator.user_id(whose))

    found = run_quietly(_as_operator(client, work))
    show_rows([_row(each, found) for each in found.sessions])
    if not found.sessions:
        report(f"{found.user.user_id} has had no session")


def end(session_id: UUID, *, client: str) -> None:
    """End one session; exit 1 with `session_unknown` when there is none that goes on."""

    async def work(operator: "_Operator") -> int:
        return await operator.end(None, session_id)

    show({"session_id": str(session_id), "ended": run_quietly(_as_operator(client, work))})


def end_all(whose: str, *, client: str) -> None:
    """End all sessions of a user and print how many there were."""

    async def work(operator: "_Operator") -> tuple[UUID, int]:
        user_id = await operator.user_id(whose)
        return user_id, await operator.end(user_id, None)

    user_id, count = run_quietly(_as_operator(client, work))
    show({"user_id": str(user_id), "ended": count})


class _Operator:
    """Asks as one; each command has a proof of its own."""

    def __init__(self, auth: AuthClient, proof: Callable[[UUID], str]) -> None:
        self._auth, self._proof = auth, proof

    async def user_id(self, whose: str) -> UUID:
        """Of an id or an address. Raises StartupError when nobody has that address."""
        try:
            return UUID(whose)
        except ValueError:
            pass
        id_ = uuid7()
        found = await self._auth.admin.find(
            self._proof(id_), email_prefix=whose, limit=1, command_id=id_
        )
        for user in found.users:
            if user.email is not None and user.email.lower() == whose.lower():
                return user.user_id
        raise StartupError("nobody has this address. Look how it is written")

    async def sessions_of(self, user_id: UUID) -> UserDetails:
        id_ = uuid7()
        return await self._auth.admin.get(
            self._proof(id_), user_id, ended_sessions=True, command_id=id_
        )

    async def end(self, user_id: UUID | None, session_id: UUID | None) -> int:
        id_ = uuid7()
        return await self._auth.admin.end_sessions(
            self._proof(id_), user_id, session_id, command_id=id_
        )


async def _as_operator(client: str, work: Callable[[_Operator], Awaitable[T]]) -> T:
    settings = load()
    masters = masters_of(settings)
    async with client_of(settings, masters, client) as auth:
        return await work(_Operator(auth, lambda id_: proof_for(settings, masters, id_)))


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
