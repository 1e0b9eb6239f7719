"""A database whose clock stands where it is put, and what is read of it after each command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.contract import EVENTS
from authbus.events import AnyEvent
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.mails import Template
from authbus_service.core.database import Base, Database
from tests.model.people import Seen
from tests.model.service import MASTERS, Mailed

# The names that the service's statements use are looked up here before PostgreSQL's own.
_CLOCK = (
    "CREATE SCHEMA moved",
    "CREATE TABLE moved.clock (at timestamptz)",
    "INSERT INTO moved.clock VALUES (clock_timestamp())",
    *(
        f"CREATE FUNCTION moved.{name}() RETURNS timestamptz LANGUAGE sql VOLATILE"
        " AS 'SELECT at FROM moved.clock'"
        for name in ("clock_timestamp", "statement_timestamp")
    ),
)
_OUTBOX = "SELECT position, type, payload FROM outbox WHERE position > :after ORDER BY position"
_USERS = (
    "SELECT id, sequence, email, email_verified, status, roles, locked_until, second_factor,"
    " profile FROM users"
)
_EMAILS = "SELECT canonical, user_id FROM emails"
_LIVE = "SELECT id, user_id FROM sessions WHERE ended_at IS NULL AND lapses_at > clock_timestamp()"


@dataclass
class News:
    """What was told and mailed, each once."""

    position: int = 0
    mails: set[UUID] = field(default_factory=set[UUID])

    async def since(self, db: AsyncConnection) -> tuple[list[AnyEvent], list[Mailed]]:
        """What is new."""
        rows = list(await db.execute(text(_OUTBOX), {"after": self.position}))
        mails = [dict(row) for row in (await db.execute(text("SELECT * FROM mails"))).mappings()]
        self.position = rows[-1].position if rows else self.position
        events: list[Any] = [
            EVENTS[row.type].model_validate_json(row.payload) for row in rows if row.type in EVENTS
        ]
        new = [mail for mail in mails if mail["id"] not in self.mails]
        self.mails |= {mail["id"] for mail in new}
        return events, [_mailed(mail) for mail in new]


async def let_the_clock_stand(database: Database) -> None:
    """For connections that are made from now on."""
    async with database.transaction() as db:
        for each in _CLOCK:
            await db.execute(text(each))
        name = database.engine.url.database
        await db.execute(text(f"ALTER DATABASE {name} SET search_path = moved, pg_catalog, public"))
        await db.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))


async def put_the_clock(db: AsyncConnection, at: datetime) -> None:
    """It is so late now."""
    await db.execute(text("UPDATE moved.clock SET at = :at"), {"at": at})


async def emptied(database: Database) -> None:
    """Nobody is here."""
    async with database.transaction() as db:
        for each in reversed(Base.metadata.sorted_tables):
            await db.execute(each.delete())


async def seen(db: AsyncConnection) -> Seen:
    """What stands in the tables."""
    users = [dict(row) for row in (await db.execute(text(_USERS))).mappings()]
    addresses, live, gone = [
        dict[Any, Any]([(row[0], row[1]) for row in await db.execute(text(each))])
        for each in (_EMAILS, _LIVE, "SELECT id, sequence FROM erased_users")
    ]
    return Seen({row.pop("id"): row for row in users}, addresses, live, gone)


def _mailed(row: Mapping[str, Any]) -> Mailed:
    purpose: Purpose | None = Template(row["template"]).purpose
    made = row["command_id"], row["content"], row["master"]
    code = None if purpose is None else MASTERS.code(purpose, *made)
    return Mailed(row["template"], row["address"], code)
