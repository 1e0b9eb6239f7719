"""The rows of a group: locked, claimed and flushed in one order, so that no two groups deadlock.

Users by id, then addresses, then sessions under their users' locks.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.users import repository as users


async def lock(
    db: AsyncConnection, ids: Iterable[UUID], *, wait: bool = False
) -> tuple[Rows, set[UUID]]:
    """Lock these users. Returns their rows, and those that exist but are locked elsewhere."""
    wanted = set(ids)
    rows = Rows()
    if not wanted:
        return rows, set()
    rows.users.locked = {user.id: user for user in await users.lock(db, wanted, wait=wait)}
    missed = wanted - rows.users.locked.keys()
    return rows, await users.present(db, missed) if missed else set()


async def claim(db: AsyncConnection, asked: Sequence[tuple[Request, Proof]], rows: Rows) -> None:
    """Claim the addresses that are asked for and load the sessions; both land in `rows`."""
    claims = {
        proof.claim.canonical: request.derived.user_id
        for request, proof in reversed(asked)
        if proof.claim is not None
    }
    if claims:
        rows.users.owners = await users.claim(db, claims)
    await load_sessions(db, [proof for _, proof in asked], rows)


async def load_sessions(db: AsyncConnection, proofs: Sequence[Proof], rows: Rows) -> None:
    """The sessions that are asked for; those of users who are not in `rows` stay out."""
    by_id = set[UUID]().union(*(proof.sessions for proof in proofs))
    of_users = {each.user_id for each in proofs if each.every_session and each.user_id is not None}
    found = await sessions.by_id(db, by_id) if by_id else []
    if of_users:
        found += await sessions.live_of(db, of_users)
    known = {each.id: each for each in found if each.user_id in rows.users.locked}
    rows.sessions.known = known | rows.sessions.known


async def read(db: AsyncConnection, proofs: Sequence[Proof]) -> Rows:
    """The rows of these proofs as they are, without locks: for questions that change nothing."""
    rows = Rows()
    wanted = set[UUID]().union(*(proof.users for proof in proofs))
    if wanted:
        rows.users.locked = {user.id: user for user in await users.read(db, wanted)}
    await load_sessions(db, proofs, rows)
    return rows


async def flush(db: AsyncConnection, rows: Rows) -> None:
    """Write all that changed; claims that no user came of are taken back."""
    if rows.users.unused:
        await users.release(db, rows.users.unused)
    if rows.users.new:
        await users.add(db, rows.users.new)
    if rows.users.changed:
        await users.save(db, rows.users.changed)
    if rows.sessions.new:
        await sessions.add(db, rows.sessions.new)
    if rows.sessions.changed:
        await sessions.save(db, rows.sessions.changed)
