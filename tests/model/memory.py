"""Rows in memory, loaded and written back by the rules of the repositories."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from authbus_service.auth.codes.code import OneTimeCode
from authbus_service.auth.factors.factor import Factor
from authbus_service.auth.guessing.attempt import Attempt, Counted, State, StoredAttempt
from authbus_service.auth.guessing.limits import MEMORY, PAUSE, SOURCE_MEMORY
from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import ErasedUser, User

R = TypeVar("R", User, Session, OneTimeCode, Factor)
_CODES_KEPT, _SESSIONS_KEPT = timedelta(days=7), timedelta(days=30)


@dataclass
class Memory:
    """The tables. What is loaded are copies: only what is written back is kept."""

    users: dict[UUID, User] = field(default_factory=dict[UUID, User])
    addresses: dict[str, UUID] = field(default_factory=dict[str, UUID])
    sessions: dict[UUID, Session] = field(default_factory=dict[UUID, Session])
    codes: dict[bytes, OneTimeCode] = field(default_factory=dict[bytes, OneTimeCode])
    factors: dict[UUID, Factor] = field(default_factory=dict[UUID, Factor])
    attempts: dict[tuple[bytes, UUID], StoredAttempt] = field(
        default_factory=dict[tuple[bytes, UUID], StoredAttempt]
    )
    gone: dict[UUID, ErasedUser] = field(default_factory=dict[UUID, ErasedUser])

    def loaded(self, proof: Proof, at: datetime) -> Rows:
        """What a proof asks for, of users who are there."""
        rows = Rows(hides=proof.hidden)
        rows.users.by_id = _copied(self.users, proof.users)
        here = rows.users.by_id
        wanted = proof.sessions & self.sessions.keys()
        if proof.every_session:
            wanted |= {id_ for id_, each in self.sessions.items() if _goes_on(each, proof, at)}
        found = _copied(self.sessions, wanted)
        rows.sessions.known = {id_: each for id_, each in found.items() if each.user_id in here}
        rows.codes.known = _copied(self.codes, self._codes(proof, here))
        if proof.factor:
            rows.factors.known = _copied(self.factors, here)
        if proof.attempt is not None and proof.is_wrong:
            rows.attempts.add(row for row in self.attempts.values() if row.key == proof.attempt.key)
        return rows

    def claimed(self, request: Request, proof: Proof, rows: Rows) -> None:
        """An address that is free is its user's, until it is let go of."""
        if proof.claim is not None and proof.claim.canonical not in self.addresses:
            user_id = proof.claim.user_id or request.derived.user_id
            self.addresses[proof.claim.canonical] = user_id
            rows.users.owners = {proof.claim.canonical: user_id}

    def counted(self, proof: Proof, rows: Rows, at: datetime) -> None:
        """What was done lately under the keys of a proof."""
        for key in proof.counted:
            ago = [at - row.at for row in self.attempts.values() if row.key == key]
            since = (SOURCE_MEMORY, MEMORY, PAUSE)
            rows.attempts.counts[key] = Counted(*(sum(a < most for a in ago) for most in since))

    def written(self, rows: Rows) -> None:
        """All that changed, and nothing else."""
        for canonical in rows.users.free:
            self.addresses.pop(canonical, None)
        self.users |= {each.id: each for each in rows.users.new}
        for user in rows.users.changed:
            self.users[user.id] = replace(user, profile=self.users[user.id].profile)
        for user in rows.users.profiles:
            self.users[user.id] = replace(self.users[user.id], profile=user.profile)
        self.sessions |= {each.id: each for each in (*rows.sessions.new, *rows.sessions.changed)}
        self.codes |= {each.hash: each for each in (*rows.codes.new, *rows.codes.changed)}
        for user_id in rows.factors.dropped:
            self.factors.pop(user_id, None)
        self.factors |= {each.user_id: each for each in rows.factors.changed}
        self._settled(rows)
        for erased in rows.users.gone.values():
            self._erased(erased)

    def hold(self, attempt: Attempt, at: datetime) -> None:
        """An attempt is under way."""
        key, source, user_id = attempt.key, attempt.source, attempt.user_id
        place, until = (key, attempt.command_id), attempt.expires_at
        self.attempts[place] = StoredAttempt(
            *place, source, user_id, State.HELD, at, until, attempt.content
        )

    def forget(self, at: datetime) -> None:
        """Codes that ran out and sessions that ended long ago."""
        kept = self.codes.items()
        self.codes = {hash_: c for hash_, c in kept if c.expires_at >= at - _CODES_KEPT}
        since = at - _SESSIONS_KEPT
        self.sessions = {id_: s for id_, s in self.sessions.items() if (s.ended_at or at) >= since}

    def _codes(self, proof: Proof, here: Iterable[UUID]) -> set[bytes]:
        return {
            hash_
            for hash_, each in self.codes.items()
            if each.user_id in here
            and (hash_ == proof.code_hash or (proof.every_code and each.used_at is None))
        }

    def _settled(self, rows: Rows) -> None:
        settled = rows.attempts
        for each in settled.freed:
            self.attempts.pop((each.key, each.command_id), None)
        for place, row in self.attempts.items():
            forgiven = row.key in settled.cleared or row.user_id in settled.forgiven
            if forgiven and row.state == State.FAILED:
                self.attempts[place] = replace(row, state=State.FORGIVEN)
        self.attempts |= {(row.key, row.command_id): row for row in settled.written}

    def _erased(self, erased: ErasedUser) -> None:
        id_ = erased.id
        self.gone[id_] = erased
        del self.users[id_]
        self.factors.pop(id_, None)
        self.addresses = {at: each for at, each in self.addresses.items() if each != id_}
        self.sessions = {at: each for at, each in self.sessions.items() if each.user_id != id_}
        self.codes = {at: each for at, each in self.codes.items() if each.user_id != id_}
        self.attempts = {at: each for at, each in self.attempts.items() if each.user_id != id_}


K = TypeVar("K")


def _copied(rows: dict[K, R], keys: Iterable[K]) -> dict[K, R]:
    return {each: replace(rows[each]) for each in keys if each in rows}


def _goes_on(session: Session, proof: Proof, at: datetime) -> bool:
    return session.user_id == proof.user_id and session.is_live(at)
