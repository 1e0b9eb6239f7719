"""What the migrations have made is what the models say."""

from importlib import import_module
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from authbus_service.core.database import Base, Database

import_module("authbus_service.main")  # all models


def is_compared(_: object, name: str | None, kind: str, *__: object) -> bool:
    """The inbox's days are tables of their own, and alembic keeps one."""
    return kind != "table" or not (name or "").startswith(("inbox_", "alembic_version"))


def differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_object": is_compared}
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


async def test_tables_and_models_are_one(database: Database) -> None:
    async with database.engine.connect() as db:
        assert await db.run_sync(differences) == []
