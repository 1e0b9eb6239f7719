"""A downstream module: who has an account, built from nothing and kept as it changes.

This principal needs READ on auth.state.users.v1, the one topic with personal data.
"""

import asyncio
import os
from uuid import UUID

from authbus import (
    EventStream,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserErased,
    UserState,
)
from authbus.stream import Told

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")


class AddressBook:
    """Stands for a table with the user's id as its key: what comes again changes nothing."""

    def __init__(self) -> None:
        self.entries: dict[UUID, str] = {}

    def take(self, told: Told) -> None:
        """Keep one thing that was told. In a real module this is one transaction."""
        match told:
            case SnapshotBegins(fresh=True):
                self.entries.clear()
            case UserState(user_id=user_id, email=email, profile=profile):
                self.entries[user_id] = f"{profile.display_name or 'somebody'} <{email}>"
            case StreamEvent(data=UserErased(user_id=user_id)):
                self.entries.pop(user_id, None)
            case _:
                pass  # other events, and kinds that come with later versions


async def main() -> None:
    book = AddressBook()
    async with EventStream(SERVERS, group="address-book", namespace=NAMESPACE) as stream:
        async for told in stream.bootstrap():
            book.take(told)
            if isinstance(told, SnapshotEnds):
                break  # a real module goes on: from here on come changes
    print(len(book.entries), "users:", *sorted(book.entries.values()))


if __name__ == "__main__":
    asyncio.run(main())
