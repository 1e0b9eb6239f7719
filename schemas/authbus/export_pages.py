"""Pages of an export: table by table in the order of their names, each row by its key.

A key never changes: so a row is told once, and none is left out that is there all along.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from authbus.paging import Room
from authbus.replies import UserExport

Row = dict[str, Any]
# Of one table, read at once and told at most.
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which row a page begins: behind none of any table, unless told otherwise."""

    table: str = ""
    key: str = field(default="", repr=False)

    @classmethod
    def of(cls, after: str | None) -> "Place":
        """That of a command's `after`."""
        table, _, key = (after or "").partition(" ")
        return cls(table, key)

    def in_table(self, name: str) -> str | None:
        """Behind which key this table's rows are to be told; None: all of it was told."""
        if name < self.table:
            return None
        return self.key if name == self.table else ""


class ExportPage:
    """One page that is filled, row by row. `next` is None while all has fitted."""

    def __init__(self, user_id: UUID, at: datetime) -> None:
        """An empty one."""
        self._user_id, self._at = user_id, at
        self._tables: dict[str, list[Row]] = {}
        self._last: str | None = None
        self.next: str | None = None
        self._room = Room.beside(self.reply())

    def take(self, table: str, rows: Iterable[tuple[str, Row]]) -> bool:
        """Tell these rows of a table, each by its key; whether all of them fitted."""
        told = self._tables.setdefault(table, [])
        self._room.left -= len(table) + len('"":[],')
        for key, row in rows:
            if len(told) == MOST_ROWS or not self._room.takes(row):
                self.next = self._last
                return False
            told.append(row)
            self._last = f"{table} {key}"
        return True

    def reply(self) -> UserExport:
        """The answer."""
        return UserExport(
            user_id=self._user_id, exported_at=self._at, tables=self._tables, next=self.next
        )
