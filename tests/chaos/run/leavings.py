"""What a run leaves where somebody may read it, beside what lies on topics."""

from collections.abc import Sequence
from pathlib import Path

import asyncpg

# A service says so to a person why it cannot start; all else that it logs is JSON.
TO_A_PERSON = "authbus: "
# Those that have rows of their own: a partition has, what it is a part of has none.
_TABLES = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind = 'r'
"""


def logged(folder: Path) -> tuple[list[str], bytes]:
    """The services' lines of JSON, and their words to a person."""
    lines = [
        line
        for path in sorted(folder.glob("service*.log"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    words = [each for each in lines if each.startswith(TO_A_PERSON)]
    return [each for each in lines if not each.startswith(TO_A_PERSON)], "\n".join(words).encode()


async def stored(db: asyncpg.Connection) -> dict[str, bytes]:
    """All values of each table as they are, bytes as bytes."""
    names = [each["relname"] for each in await db.fetch(_TABLES)]
    return {f"table {name}": _text(await db.fetch(f'SELECT * FROM "{name}"')) for name in names}


def _text(rows: Sequence[asyncpg.Record]) -> bytes:
    return b"\n".join(_bytes(value) for row in rows for value in row.values())


def _bytes(value: object) -> bytes:
    match value:
        case bytes():
            return value
        case [*several]:
            return b"\n".join(map(_bytes, several))
        case _:
            return str(value).encode()
