"""The rows of a group: locked, claimed and flushed in one order, so that no two groups deadlock.

Users by id, then addresses, then sessions, codes and factors under their users' locks.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth import holdings
from authbus_service.auth.codes import repository as codes
from authbus_service.auth.factors import repository as factors
from authbus_service.auth.guessing import repository as guessing
from authbus_service.auth.guessing.attempt import Counted
from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.users import repository as users
from authbus_service.core.sets import Writes

_CLAIMED, _COUNTED = users.CLAIM.cte("claimed"), guessing.COUNTED.cte("counted")
# One round trip for both: a registration is to cost no more for being counted.
_CLAIM = union_all(
    select(
        _CLAIMED.c.canonical, _CLAIMED.c.user_id, *(null().label(each.name) for each in _COUNTED.c)
    ),
    select(null(), null(), *_COUNTED.c),
)


async def lock(
    db: AsyncConnection, proofs: Sequence[Proof], *, wait: bool = False
) -> tuple[Rows, set[UUID]]:
    """Lock the users of these. Returns their rows, and those that exist but are locked elsewhere.

    A guess at nobody's password asks as well: it costs what one at somebody's does.
    """
    wanted = set[UUID]().union(*(proof.users for proof in proofs))
    rows = Rows(
        hides=any(proof.hidden for proof in proofs),
        registers=any(proof.registers for proof in proofs),
        changes_address=any(proof.changes_address for proof in proofs),
    )
    if not wanted and not any(proof.is_wrong or proof.hidden for proof in proofs):
        return rows, set()
    rows.users.by_id = {user.id: user for user in await users.lock(db, wanted, wait=wait)}
    missed = wanted - rows.users.by_id.keys()
    return rows, await users.present(db, missed) if missed else set()


async def claim(
    db: AsyncConnection, asked: Sequence[tuple[Request, Proof]], rows: Rows, at: datetime
) -> None:
    """Claim the addresses that are asked for, load what else is; all lands in `rows`."""
    claims = {
        proof.claim.canonical: proof.claim.user_id or request.derived.user_id
        for request, proof in reversed(asked)
        if proof.claim is not None
    }
    proofs = [proof for _, proof in asked]
    keys = set[bytes]().union(*(proof.counted for proof in proofs))
    if claims or keys:
        await _claimed(db, claims, keys, rows, at)
    await load_sessions(db, proofs, rows)
    await load_codes(db, proofs, rows)
    await load_factors(db, proofs, rows)
    wrong = {each.attempt.key for each in proofs if each.attempt is not None and each.is_wrong}
    if wrong:
        rows.attempts.add(await guessing.read(db, wrong, at))


async def _claimed(
    db: AsyncConnection,
    claims: Mapping[str, UUID],
    keys: Iterable[bytes],
    rows: Rows,
    at: datetime,
) -> None:
    asked = users.claiming(claims) | guessing.counting(keys, at)
    found = (await db.execute(_CLAIM, asked)).all()
    rows.users.owners = {each.canonical: each.user_id for each in found if each.key is None}
    rows.attempts.counts = {
        each.key: Counted(each.an_hour, each.a_day, each.a_minute)
        for each in found
        if each.key is not None
    }


async def load_sessions(db: AsyncConnection, proofs: Sequence[Proof], rows: Rows) -> None:
    """The sessions that are asked for; those of users who are not in `rows` stay out."""
    by_id = set[UUID]().union(*(proof.sessions for proof in proofs))
    of_users = {each.user_id for each in proofs if each.every_session and each.user_id is not None}
    found = await sessions.by_id(db, by_id) if by_id else []
    if of_users:
        found += await sessions.live_of(db, of_users)
    known = {each.id: each for each in found if each.user_id in rows.users.by_id}
    rows.sessions.known = known | rows.sessions.known


async def load_codes(db: AsyncConnection, proofs: Sequence[Proof], rows: Rows) -> None:
    """The codes that are asked for; those of users who are not in `rows` stay out."""
    hashes = {each.code_hash for each in proofs if each.code_hash}
    of_users = set[UUID]().union(*(each.users for each in proofs if each.every_code))
    found = await codes.by_hash(db, hashes) if hashes else []
    if of_users or rows.hides:
        found += await codes.unused_of(db, of_users)
    known = {each.hash: each for each in found if each.user_id in rows.users.by_id}
    rows.codes.known = known | rows.codes.known


async def load_factors(db: AsyncConnection, proofs: Sequence[Proof], rows: Rows) -> None:
    """The second factors that are asked for, of users who are in `rows`."""
    of_users = set[UUID]().union(*(each.users for each in proofs if each.factor))
    if of_users := of_users & rows.users.by_id.keys():
        known = {each.user_id: each for each in await factors.of(db, of_users)}
        rows.factors.known = known | rows.factors.known


async def read(db: AsyncConnection, proofs: Sequence[Proof]) -> Rows:
    """The rows of these proofs as they are, without locks: for questions that change nothing."""
    rows = Rows()
    wanted = set[UUID]().union(*(proof.users for proof in proofs))
    if wanted:
        rows.users.by_id = {user.id: user for user in await users.read(db, wanted)}
    await load_sessions(db, proofs, rows)
    return rows


async def flush(db: AsyncConnection, rows: Rows, writes: Writes) -> None:
    """Write all that changed, and what `writes` has already."""
    users.flush(writes, rows.users, even_none=rows.hides, even_none_new=rows.registers)
    sessions.flush(writes, rows.sessions)
    codes.flush(writes, rows.codes, even_none=rows.hides or rows.registers)
    guessing.flush(writes, rows.attempts, even_none=rows.registers)
    await writes.send(db)
    await users.flush_rest(db, rows.users, even_none=rows.changes_address)
    await factors.flush(db, rows.factors)
    if rows.users.gone:
        await holdings.erase(db, list(rows.users.gone.values()))
