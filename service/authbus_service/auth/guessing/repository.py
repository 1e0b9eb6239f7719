"""Attempts in PostgreSQL. Every question and every write is set-based; nothing here commits.

Attempts at one key, or from one source, are reserved one transaction after the other, in every
process: each takes advisory locks in order before it looks. What settles an attempt of an account
stands under its user's lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.guessing.attempt import (
    WRONG,
    Attempt,
    State,
    StoredAttempt,
    Verdict,
    by_key_and_source,
    keys_and_sources,
)
from authbus_service.auth.guessing.limits import (
    LONG_MEMORY,
    MEMORY,
    PAUSE,
    SOURCE_MEMORY,
    UNDER_WAY,
    Limits,
    own_row,
    still_counts,
)
from authbus_service.auth.guessing.models import AttemptRow
from authbus_service.auth.guessing.rows import Attempts
from authbus_service.core.sets import Columns, Writes, insert_rows

_ATTEMPT = cast("Table", AttemptRow.__table__)
_COLUMNS = Columns(
    "attempts", ("key", "command_id", "source", "user_id", "state", "at", "expires_at", "content")
)
_HASHES, _TIME = ARRAY(LargeBinary), DateTime(timezone=True)
_KEYS = bindparam("keys", type_=_HASHES)
_SOURCES = bindparam("sources", type_=_HASHES)
_SINCE, _BEFORE = bindparam("since", type_=_TIME), bindparam("before", type_=_TIME)

# Locks are shared memory that all of a server's transactions divide among them: buckets bound it.
_LOCKS = 0x61747470
_BUCKETS = 1024
_BUCKET = func.unnest(bindparam("buckets", type_=ARRAY(Integer))).column_valued("bucket")
# Not waited for: an answer is given only after a commit that reached the disk after this one.
_LOCK = select(
    func.set_config("synchronous_commit", "off", literal(value=True)),
    func.pg_advisory_xact_lock(_LOCKS, _BUCKET),
    func.clock_timestamp().label("at"),
)
_KEPT = _ATTEMPT.c.state == State.KEPT
_SEEN = select(_ATTEMPT).where(
    or_(_ATTEMPT.c.key == any_(_KEYS), _ATTEMPT.c.source == any_(_SOURCES)),
    or_(_ATTEMPT.c.at > _SINCE, _KEPT),
)
_INSERT = insert_rows(_ATTEMPT, _COLUMNS)
_HOLD = _INSERT.on_conflict_do_update(
    index_elements=["key", "command_id"],
    set_={name: _INSERT.excluded[name] for name in ("state", "at", "expires_at")},
    where=_ATTEMPT.c.state == State.FORGIVEN,
)
_WRITE = _INSERT.on_conflict_do_update(
    index_elements=["key", "command_id"],
    set_={name: _INSERT.excluded[name] for name in ("user_id", "state", "at")},
)
_FREED_KEYS = bindparam("freed_keys", type_=_HASHES)
_FREED = (
    func.unnest(_FREED_KEYS, bindparam("freed_ids", type_=ARRAY(Uuid)))
    .table_valued("key", "command_id", name="freed")
    .render_derived()
)
# By the keys too: a plan that was made while there were few would join them with every attempt.
_FREE = delete(_ATTEMPT).where(
    _ATTEMPT.c.key == any_(_FREED_KEYS),
    tuple_(_ATTEMPT.c.key, _ATTEMPT.c.command_id).in_(select(_FREED.c.key, _FREED.c.command_id)),
)
_STILL_HELD = (
    _ATTEMPT.c.key == bindparam("at_key"),
    _ATTEMPT.c.command_id == bindparam("named"),
    _ATTEMPT.c.state == State.HELD,
)
_LET_GO = delete(_ATTEMPT).where(*_STILL_HELD)
_FAIL = update(_ATTEMPT).values(state=State.FAILED, at=func.clock_timestamp()).where(*_STILL_HELD)
_CLEAR = (
    update(_ATTEMPT)
    .values(state=State.FORGIVEN)
    .where(_ATTEMPT.c.key == any_(bindparam("cleared", type_=_HASHES)), _ATTEMPT.c.state.in_(WRONG))
)
_FORGIVE = (
    update(_ATTEMPT)
    .values(state=State.FORGIVEN)
    .where(
        _ATTEMPT.c.user_id == any_(bindparam("forgiven", type_=ARRAY(Uuid))),
        _ATTEMPT.c.state == State.FAILED,
    )
)
_LATELY, _JUST_NOW = bindparam("lately", type_=_TIME), bindparam("just_now", type_=_TIME)
# It goes with the statement that claims addresses.
COUNTED = (
    select(
        _ATTEMPT.c.key,
        func.count().filter(_ATTEMPT.c.at > _LATELY).label("an_hour"),
        func.count().label("a_day"),
        func.count().filter(_ATTEMPT.c.at > _JUST_NOW).label("a_minute"),
    )
    .where(_ATTEMPT.c.key == any_(_KEYS), _ATTEMPT.c.at > _SINCE, _ATTEMPT.c.state == State.COUNTED)
    .group_by(_ATTEMPT.c.key)
)
_CTID: ColumnElement[str] = literal_column("attempts.ctid")
# What another process deletes at this moment is left to it. They are named by their places, which
# stand still since they are locked: an array of keys has but one column.
_OLD = func.array(
    select(_CTID)
    .where(
        _ATTEMPT.c.at >= _SINCE,
        _ATTEMPT.c.at < _BEFORE,
        or_(~_KEPT, _ATTEMPT.c.at < _BEFORE - LONG_MEMORY),
    )
    .order_by(_ATTEMPT.c.at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_GONE = delete(_ATTEMPT).where(any_(_OLD) == _CTID).returning(_ATTEMPT.c.at).cte()
_FORGET = select(func.max(_GONE.c.at))


async def reserve(
    db: AsyncConnection, attempts: Sequence[Attempt], limits: Limits
) -> Mapping[Attempt, Verdict]:
    """Hold as many of these attempts as may be checked now, in their order.

    One that was held before is its own reservation, so that a command that is read again counts
    once. The transaction must be this call's own.
    """
    keys, sources = keys_and_sources(attempts)
    buckets = sorted({_bucket(each) for each in (*keys, *sources)})
    at: datetime = list(await db.execute(_LOCK, {"buckets": buckets}))[-1].at
    of_key, of_source = by_key_and_source(await _seen(db, keys, sources, at))
    verdicts: dict[Attempt, Verdict] = {}
    held: list[StoredAttempt] = []
    for attempt in attempts:
        source = attempt.source
        known = of_key[attempt.key], [] if source is None else of_source[source]
        verdicts[attempt] = limits.verdict(attempt, *known, at)
        is_there = still_counts(own_row(attempt, known[0]))
        if verdicts[attempt] is Verdict.HELD and not is_there:
            held.append(_row(attempt, at))
            for rows in known:
                rows.append(held[-1])
    if held:
        await db.execute(_HOLD, _COLUMNS(_in_order(held)))
    return verdicts


async def read(db: AsyncConnection, keys: Iterable[bytes], at: datetime) -> list[StoredAttempt]:
    """What was attempted at these keys and still counts."""
    return await _seen(db, set(keys), (), at)


def counting(keys: Iterable[bytes], at: datetime) -> dict[str, Any]:
    """The parameters of `COUNTED`."""
    since = {"since": at - MEMORY, "lately": at - SOURCE_MEMORY, "just_now": at - PAUSE}
    return {"keys": sorted(keys), **since}


def flush(writes: Writes, attempts: Attempts, *, even_none: bool = False) -> None:
    """Write what became of a group's attempts; what was written here is forgiven in memory."""
    if attempts.written or even_none:
        writes.add(_WRITE, _COLUMNS(_in_order(attempts.written)))
    if attempts.freed or attempts.cleared:
        freed = sorted({(each.key, each.command_id) for each in attempts.freed})
        keys, ids = [key for key, _ in freed], [id_ for _, id_ in freed]
        writes.add(_FREE, {"freed_keys": keys, "freed_ids": ids})
        writes.add(_CLEAR, {"cleared": sorted(attempts.cleared)})
    if attempts.forgiven:
        writes.add(_FORGIVE, {"forgiven": sorted(attempts.forgiven)})


async def let_go(db: AsyncConnection, attempt: Attempt, *, was_wrong: bool) -> None:
    """Hold this attempt no longer; one that was wrong counts. What was settled stays as it is."""
    how = _FAIL if was_wrong else _LET_GO
    await db.execute(how, {"at_key": attempt.key, "named": attempt.command_id})


async def forget(
    db: AsyncConnection, *, since: datetime, before: datetime, limit: int
) -> datetime | None:
    """Delete attempts of between these times, the oldest first, no more than `limit`.

    Returns when the last of them was made, for the next call to begin there. None: there was none.
    """
    return await db.scalar(_FORGET, {"since": since, "before": before, "limit": limit})


async def _seen(
    db: AsyncConnection, keys: Iterable[bytes], sources: Iterable[bytes], at: datetime
) -> list[StoredAttempt]:
    asked = {"keys": list(keys), "sources": list(sources), "since": at - MEMORY}
    return [StoredAttempt(*row) for row in await db.execute(_SEEN, asked)]


def _in_order(rows: Iterable[StoredAttempt]) -> list[StoredAttempt]:
    """All write in this order, so that none waits for one that waits for it."""
    return sorted(rows, key=lambda row: (row.key, row.command_id))


def _bucket(key: bytes) -> int:
    return int.from_bytes(key[:4], "big") % _BUCKETS


def _row(attempt: Attempt, at: datetime) -> StoredAttempt:
    return StoredAttempt(
        key=attempt.key,
        command_id=attempt.command_id,
        source=attempt.source,
        user_id=attempt.user_id,
        state=State.HELD,
        at=at,
        expires_at=max(attempt.expires_at, at + UNDER_WAY),
        content=attempt.content,
    )
