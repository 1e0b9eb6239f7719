"""Pages of sessions, oldest first."""

from collections.abc import Iterable

from authbus.envelope import stamp
from authbus.paging import Room
from authbus.replies import SessionEntry, SessionList, UserDetails, UserEntry

# How many sessions that are over are shown of one account at most.
MOST_OVER = 20


def listed(sessions: Iterable[SessionEntry], after: str | None) -> SessionList:
    """The page of the user's own sessions behind this place."""
    shown, place = _page(sessions, after, Room.beside(SessionList(sessions=())))
    return SessionList(sessions=shown, next=place)


def details(
    user: UserEntry, sequence: int, sessions: Iterable[SessionEntry], after: str | None
) -> UserDetails:
    """The account with the page of its sessions behind this place."""
    around = UserDetails(user=user, sequence=sequence, sessions=())
    shown, place = _page(sessions, after, Room.beside(around))
    return UserDetails(user=user, sequence=sequence, sessions=shown, next=place)


def _page(
    sessions: Iterable[SessionEntry], after: str | None, room: Room
) -> tuple[tuple[SessionEntry, ...], str | None]:
    behind = sorted((each for each in sessions if _place(each) > (after or "")), key=_place)
    for number, each in enumerate(behind):
        if not room.takes(each):
            return tuple(behind[:number]), _place(behind[number - 1])
    return tuple(behind), None


def _place(session: SessionEntry) -> str:
    """What never changes of a session, and tells it from every other one."""
    return f"{stamp(session.started_at)} {session.session_id}"
