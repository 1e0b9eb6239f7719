"""The cheap commands beside the log-out: refresh, list, profile."""

from dataclasses import dataclass

from authbus.client.results import Session
from tests.benchmarks.load import Cell, Work, closed
from tests.benchmarks.service import Running

CHEAP = {
    "refresh": "refreshes",
    "list": "lists of sessions",
    "profile": "profiles read",
    "profile_change": "profiles changed",
}


@dataclass
class Crowd:
    """For each caller a user with one session, and the version of their profile."""

    sessions: list[Session]
    versions: list[int]


async def a_crowd(running: Running, callers: int, password: str) -> Crowd:
    """Users of their own, so that nobody has a long list of sessions."""
    sessions: list[Session] = []
    for number in range(callers):
        email = f"caller{number}@example.com"
        await running.auth.register(email, password)
        sessions.append(await running.auth.log_in(email, password))
    return Crowd(sessions, [0] * callers)


async def cheap(running: Running, crowd: Crowd, seconds: float) -> dict[str, Cell]:
    """One cell of each: every caller asks about their own user."""
    auth, sessions, callers = running.auth, crowd.sessions, len(crowd.sessions)

    async def refresh(turn: int) -> None:
        sessions[turn % callers] = await auth.refresh(sessions[turn % callers])

    async def ask(turn: int) -> None:
        await auth.sessions.list(sessions[turn % callers].access_token)

    async def profile(turn: int) -> None:
        await auth.profile.get(sessions[turn % callers].access_token)

    async def change(turn: int) -> None:
        who = turn % callers
        crowd.versions[who] = await auth.profile.update(
            sessions[who].access_token, crowd.versions[who], display_name=f"Ana {turn}"
        )

    works: tuple[Work, ...] = (refresh, ask, profile, change)
    return {
        name: await closed(callers, seconds, work, running.processes)
        for name, work in zip(CHEAP, works, strict=True)
    }
