"""Set-based writes: one statement for any number of rows, its text always the same.

Rows travel as one array a column and are unnested in their given order, so that a statement is
planned once and a group costs one round trip, whatever it writes.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, cast

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    bindparam,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Delete, Update
from sqlalchemy.sql.dml import ReturningInsert

Values = dict[str, list[Any]]
Written = Insert | Update | Delete | ReturningInsert[Any]


@dataclass(frozen=True)
class Columns:
    """The parameters of one statement: an array for each of these columns.

    `of` keeps them apart from those of other statements that are sent with it. `read` finds a
    row's value by the column's name, `told` says how values of some columns are written.
    """

    of: str
    names: tuple[str, ...]
    read: Callable[[Any, str], Any] = getattr
    told: Mapping[str, Callable[[Any], Any]] | None = None

    def __call__(self, rows: Sequence[object]) -> Values:
        """The parameters for these rows."""
        told = self.told or {}
        found: Values = {}
        for name in self.names:
            values = [self.read(row, name) for row in rows]
            how = told.get(name)
            found[self._parameter(name)] = values if how is None else [how(each) for each in values]
        return found

    def source(self, table: Table) -> FromClause:
        """Those rows as a table, their order in `place`."""
        arrays = [
            bindparam(self._parameter(name), type_=ARRAY(table.c[name].type, dimensions=1))
            for name in self.names
        ]
        columns = [column(name, table.c[name].type) for name in self.names]
        return (
            func.unnest(*arrays)
            .table_valued(*columns, with_ordinality="place", name="given")
            .render_derived()
        )

    def _parameter(self, name: str) -> str:
        return f"{self.of}_{name}"


def insert_rows(table: FromClause, columns: Columns) -> Insert:
    """`INSERT INTO table (names) SELECT ... FROM unnest(...)` in the rows' order."""
    into = cast("Table", table)
    given = columns.source(into)
    chosen = select(*(given.c[name] for name in columns.names)).order_by(given.c["place"])
    return insert(into).from_select(list(columns.names), chosen)


def update_rows(table: FromClause, columns: Columns) -> Update:
    """`UPDATE table SET ... FROM unnest(...)`, for the rows with the first column's value."""
    of = cast("Table", table)
    given = columns.source(of)
    key, *names = columns.names
    values: dict[str, ColumnElement[Any]] = {name: given.c[name] for name in names}
    return update(of).values(values).where(of.c[key] == given.c[key])


class Writes:
    """Statements that go to the database as one, in a single round trip.

    None of them sees what another one does, so no two may touch the same row.
    """

    def __init__(self) -> None:
        """Nothing is to be written yet."""
        self._statements: list[Written] = []
        self._values: Values = {}

    def add(self, statement: Written, values: Values) -> None:
        """Write this too."""
        self._statements.append(statement)
        self._values |= values

    @classmethod
    @asynccontextmanager
    async def to(cls, db: AsyncConnection) -> AsyncGenerator[Self]:
        """A block of writes, sent at its end."""
        writes = cls()
        yield writes
        await writes.send(db)

    async def send(self, db: AsyncConnection) -> None:
        """Write all of them; without any nothing is sent."""
        if self._statements:
            await db.execute(_together(tuple(self._statements)), self._values)


@cache
def _together(statements: tuple[Written, ...]) -> Select[Any]:
    parts = [each.cte(f"part_{number}") for number, each in enumerate(statements)]
    return select(literal(1)).add_cte(*parts)
