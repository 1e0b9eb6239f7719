"""`make bench-users`: log-ins and refreshes with few users and with many.

Both services run side by side on one Kafka and one PostgreSQL, and are measured in turns, so that
what else the machine does falls on each alike.
"""

import argparse
import random
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from statistics import median

import uvloop
from sqlalchemy import text

from authbus.client.results import Session
from authbus_service.core.database import Database, connect
from tests.benchmarks.load import Cell, closed
from tests.benchmarks.service import Running, a_service, servers

PASSWORD = "correct horse battery"
IN_FLIGHT = 32
FEW, MANY = 1_000, 1_000_000

# Everybody is a copy of the first user with another id and address, and has a copy of the first
# session: a refresh token of that one is good for each.
_USERS = """
    INSERT INTO users SELECT made.* FROM users first, generate_series(2, {count}) number,
    LATERAL jsonb_populate_record(first, jsonb_build_object(
        'id', uuidv7(), 'email', 'user' || number || '@example.com')) made
"""
_EMAILS = "INSERT INTO emails SELECT email, id FROM users WHERE email <> 'user1@example.com'"
_SESSIONS = """
    INSERT INTO sessions SELECT made.* FROM sessions first, users,
    LATERAL jsonb_populate_record(first, jsonb_build_object(
        'id', uuidv7(), 'user_id', users.id)) made
    WHERE users.email <> 'user1@example.com'
"""
_SAMPLE = "SELECT id, user_id FROM sessions WHERE id <> '{first}' ORDER BY random() LIMIT {count}"


@dataclass
class Side:
    """A service with so many users; `held` are sessions, in no order."""

    users: int
    running: Running
    held: deque[Session]
    cells: dict[str, list[Cell]] = field(default_factory=lambda: {"log-ins": [], "refreshes": []})

    async def measure(self, seconds: float, chance: random.Random) -> None:
        """One cell of each."""

        async def log_in(_: int) -> None:
            email = f"user{chance.randint(1, self.users)}@example.com"
            await self.running.auth.log_in(email, PASSWORD)

        async def refresh(_: int) -> None:
            self.held.append(await self.running.auth.refresh(self.held.popleft()))

        for name, work in (("log-ins", log_in), ("refreshes", refresh)):
            cell = await closed(IN_FLIGHT, seconds, work, self.running.processes)
            self.cells[name].append(cell)

    def rate(self, name: str) -> float:
        return median(each.rate for each in self.cells[name])

    def p99(self, name: str) -> float:
        return median(each.p99 for each in self.cells[name])


async def a_side(running: Running, users: int, sample: int) -> Side:
    """Make so many users and give back a sample of their sessions."""
    email = "user1@example.com"
    await running.auth.register(email, PASSWORD)
    first = await running.auth.log_in(email, PASSWORD)
    database = connect(running.database_url)
    await _fill(database, users)
    async with database.reading() as db:
        asked = text(_SAMPLE.format(first=first.session_id, count=sample))
        found = deque(
            replace(first, session_id=row.id, user_id=row.user_id)
            for row in await db.execute(asked)
        )
    await database.close()
    return Side(users, running, found)


async def _fill(database: Database, users: int) -> None:
    async with database.engine.connect() as db:
        await db.execution_options(isolation_level="AUTOCOMMIT")
        await db.execute(text("SET statement_timeout = 0"))
        for statement in (_USERS, _EMAILS, _SESSIONS):
            await db.execute(text(statement.format(count=users)))
        await db.execute(text("VACUUM ANALYZE"))


async def measure(rounds: int, seconds: float, counts: Sequence[int]) -> list[Side]:
    """Each side in turn, and in the other order in the next round."""
    chance = random.Random(1)
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(servers())
        sides: list[Side] = []
        for number, count in enumerate(counts):
            running = await stack.enter_async_context(a_service(place, {}, name=f"side{number}"))
            sample = min(count - 1, int(2000 * rounds * seconds))
            sides.append(await a_side(running, count, sample))
        for side in sides:
            await side.measure(seconds / 2, chance)
            for cells in side.cells.values():
                cells.clear()
        for turn in range(rounds):
            for side in sides if turn % 2 else reversed(sides):
                await side.measure(seconds, chance)
    return sides


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-users")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--users", type=int, nargs=2, default=[FEW, MANY])
    asked = parser.parse_args()
    few, many = uvloop.run(measure(asked.rounds, asked.seconds, asked.users))
    print(f"| | {few.users:,} users | {many.users:,} users | of it |\n| --- | --- | --- | --- |")
    for name in few.cells:
        print(
            f"| {name}, {IN_FLIGHT} in flight | {few.rate(name):.0f}/s, p99 {few.p99(name):.0f} ms "
            f"| {many.rate(name):.0f}/s, p99 {many.p99(name):.0f} ms "
            f"| {many.rate(name) / few.rate(name):.2f} |"
        )


if __name__ == "__main__":
    main()
