"""What an administrator is shown of one account: as many sessions as one record takes."""

from collections.abc import Iterable, Sequence

from authbus.replies import SessionEntry, UserDetails, UserEntry

# How many sessions that are over are shown at most.
MOST_OVER = 20
# Sealed, a third more, and below what a record may hold.
_MOST_BYTES = 47_000


def details(
    user: UserEntry, sequence: int, live: Sequence[SessionEntry], over: Sequence[SessionEntry]
) -> UserDetails:
    """The account with its live sessions and those that are over, newest first, which fit."""
    for count in range(min(len(over), MOST_OVER), 0, -1):
        shown = _details(user, sequence, [*over[:count], *live])
        if len(shown.to_bytes()) <= _MOST_BYTES:
            return shown
    return _details(user, sequence, live)


def _details(user: UserEntry, sequence: int, sessions: Iterable[SessionEntry]) -> UserDetails:
    oldest_first = sorted(sessions, key=lambda each: (each.started_at, each.session_id))
    return UserDetails(user=user, sequence=sequence, sessions=tuple(oldest_first))
