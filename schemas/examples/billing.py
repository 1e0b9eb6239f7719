"""A downstream module: bills each session from events alone, and stops after the first invoice."""

import asyncio
import os
from datetime import datetime
from uuid import UUID

from authbus import EventStream, SessionEnded, SessionStarted, StreamEvent, UserCreated

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")


class Ledger:
    """Stands for a table. It is keyed by ids, so an event that comes again changes nothing."""

    def __init__(self) -> None:
        self.customers: set[UUID] = set()
        self.open: dict[UUID, datetime] = {}
        self.invoices: dict[UUID, str] = {}

    def book(self, event: StreamEvent) -> None:
        """Take one event. In a real module this is one transaction."""
        match event.data:
            case UserCreated(user_id=user_id):
                self.customers.add(user_id)
            case SessionStarted(session_id=session_id):
                self.open[session_id] = event.time
            case SessionEnded(user_id=user_id, session_id=session_id, reason=reason):
                started = self.open.pop(session_id, event.time)
                seconds = (event.time - started).total_seconds()
                self.invoices[event.id] = f"{user_id}: {seconds:.1f} s, ended by {reason}"
            case _:
                pass  # kinds that come with later versions


async def main() -> None:
    ledger = Ledger()
    async with EventStream(SERVERS, group="billing", namespace=NAMESPACE) as stream:
        async for event in stream:
            if event.gap is not None:
                raise SystemExit(f"{event.user_id}: {event.gap} was missed, build the view anew")
            ledger.book(event)
            print(event.sequence, event.type, event.user_id)
            if ledger.invoices:
                break  # what was not finished with the next step comes again to the next run
    print("invoice", *ledger.invoices.values())


if __name__ == "__main__":
    asyncio.run(main())
