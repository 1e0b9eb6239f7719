"""Pages of accounts."""

from collections.abc import Iterable

from authbus.paging import Room
from authbus.replies import FoundUsers, UserEntry


def found(users: Iterable[tuple[str, UserEntry]], limit: int) -> FoundUsers:
    """The first of these, each with its place: so many at most, and no more than a record takes."""
    told: list[UserEntry] = []
    room, last = Room.beside(FoundUsers(users=())), None
    for place, user in users:
        if len(told) == limit or not room.takes(user):
            return FoundUsers(users=tuple(told), next=last)
        told.append(user)
        last = place
    return FoundUsers(users=tuple(told))
