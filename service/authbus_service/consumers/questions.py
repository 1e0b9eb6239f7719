"""What `prepare` may ask: each kind of question gathered, one SELECT for all who wait."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from authbus.export_pages import ExportPage, Place
from authbus_service.auth import repository
from authbus_service.auth.acting import Acting, read_token
from authbus_service.auth.codes import repository as codes
from authbus_service.auth.codes.code import OneTimeCode
from authbus_service.auth.guessing import repository as guessing
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.holdings import fill
from authbus_service.auth.proof import Hashes, Policy, Proof, Tools
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users import repository as users
from authbus_service.auth.users.search import Found, Search, find
from authbus_service.auth.users.user import Credential
from authbus_service.consumers.batch_loader import BatchLoader
from authbus_service.core.database import Database
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.operator import Operator, read_operator


@dataclass(frozen=True, slots=True)
class _Asking:
    """The questions, each for all who wait."""

    database: Database

    async def credentials(self, canonicals: Sequence[str]) -> Mapping[str, Credential]:
        async with self.database.reading() as db:
            return await users.credentials(db, canonicals)

    async def owners(self, session_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        async with self.database.reading() as db:
            return await sessions.owners(db, session_ids)

    async def codes(self, hashes: Sequence[bytes]) -> Mapping[bytes, OneTimeCode]:
        async with self.database.reading() as db:
            return {each.hash: each for each in await codes.by_hash(db, hashes)}

    async def rows(self, proofs: Sequence[Proof]) -> Mapping[Proof, Rows]:
        async with self.database.reading() as db:
            rows = await repository.read(db, proofs)
        return dict.fromkeys(proofs, rows)

    async def find(self, search: Search) -> Found:
        async with self.database.reading() as db:
            return await find(db, search)

    async def fill(self, page: ExportPage, user_id: UUID, place: Place) -> None:
        async with self.database.reading() as db:
            await fill(db, page, user_id, place)

    async def over(self, user_id: UUID, limit: int) -> Sequence[Session]:
        async with self.database.reading() as db:
            return await sessions.over(db, user_id, limit)

    async def open(self, user_id: UUID, limit: int) -> int:
        async with self.database.reading() as db:
            return await sessions.open_of(db, user_id, limit)


def tools_of(
    database: Database,
    hashes: Hashes,
    policy: Policy,
    token: Callable[[str], Acting | None],
    operator: Callable[[str], Operator | None] = lambda _: None,
) -> Tools:
    """The tools of one process."""
    asking = _Asking(database)
    load_rows = BatchLoader(asking.rows)

    async def ask_reserve(attempts: Sequence[Attempt]) -> Mapping[Attempt, Verdict]:
        async with database.transaction() as db:
            return await guessing.reserve(db, attempts, policy.guessing)

    async def rows_of(proof: Proof) -> Rows:
        return await load_rows(proof) or Rows()

    return Tools(
        credential=BatchLoader(asking.credentials),
        owner=BatchLoader(asking.owners),
        code=BatchLoader(asking.codes),
        rows=rows_of,
        token=token,
        hashes=hashes,
        reserve=BatchLoader(ask_reserve),
        policy=policy,
        lookups=asking,
        operator=operator,
    )


def letting_go(database: Database) -> Callable[[Proof], Awaitable[None]]:
    """What lets an attempt go that no group settles; further guesses would wait for it.

    Its command cannot be handled, or its id was handled elsewhere. A wrong guess counts even so.
    """

    async def let_go(proof: Proof) -> None:
        if proof.attempt is not None:
            async with database.transaction() as db:
                await guessing.let_go(db, proof.attempt, was_wrong=proof.guessed_wrong)

    return let_go


def readers_of(
    issuer: str, keyring: KeyRing
) -> tuple[Callable[[str], Acting | None], Callable[[str], Operator | None]]:
    """What reads access tokens, and what reads operators' proofs."""
    return (
        partial(read_token, issuer=issuer, verified=keyring.verified),
        partial(read_operator, issuer=issuer, keyring=keyring),
    )
