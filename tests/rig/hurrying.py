"""Databases whose statements have hardly any time."""

from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core import database
from authbus_service.core.database import DATABASE_AWAY


def hurry(monkeypatch: pytest.MonkeyPatch, milliseconds: int = 100) -> None:
    """Connections that are opened from now on have so long for a statement, and for a pause."""
    limits = database._LIMITS  # pyright: ignore[reportPrivateUsage]
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        monkeypatch.setitem(limits, name, str(milliseconds))
    monkeypatch.setattr(database, "_STATEMENT_SECONDS", milliseconds / 1000)


async def is_late(opened: AbstractAsyncContextManager[AsyncConnection]) -> bool:
    """Whether a statement that takes a while is ended."""
    try:
        async with opened as db:
            await db.execute(text("SELECT pg_sleep(0.4)"))
    except DATABASE_AWAY:
        return True
    return False
