"""Set-based writes: one statement for any number of rows, its text always the same.

Rows travel as one array a column and are unnested in their given order, so that a statement is
planned once and a group costs one round trip a table.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, FromClause, Table, bindparam, column, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.sql import Update

Row = Mapping[str, Any]


def _source(table: Table, names: Sequence[str]) -> FromClause:
    arrays = [
        bindparam(f"{name}_s", type_=ARRAY(table.c[name].type, dimensions=1)) for name in names
    ]
    columns = [column(name, table.c[name].type) for name in names]
    return (
        func.unnest(*arrays)
        .table_valued(*columns, with_ordinality="place", name="given")
        .render_derived()
    )


def insert_rows(table: FromClause, names: Sequence[str]) -> Insert:
    """`INSERT INTO table (names) SELECT ... FROM unnest(...)` in the rows' order; see `arrays`."""
    into = cast("Table", table)
    given = _source(into, names)
    chosen = select(*(given.c[name] for name in names)).order_by(given.c["place"])
    return insert(into).from_select(list(names), chosen)


def update_rows(table: FromClause, key: str, names: Sequence[str]) -> Update:
    """`UPDATE table SET names FROM unnest(...) WHERE key`; see `arrays`."""
    of = cast("Table", table)
    given = _source(of, (key, *names))
    values: dict[str, ColumnElement[Any]] = {name: given.c[name] for name in names}
    return update(of).values(values).where(of.c[key] == given.c[key])


def arrays(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    """The parameters of the two above: for each column the rows' values."""
    return {f"{name}_s": [row[name] for row in rows] for name in names}


def columns(rows: Sequence[object], names: Sequence[str]) -> dict[str, list[Any]]:
    """The same for objects: their attributes of these names."""
    return {f"{name}_s": [getattr(row, name) for row in rows] for name in names}
