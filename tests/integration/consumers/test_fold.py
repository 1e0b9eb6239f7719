"""The tables are what the events say: fold them with their opened commands, and compare."""

import asyncio
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

from pydantic import SecretStr

from authbus import ChangePassword, LoggedIn, LogIn, RefreshSession, UpdateProfile
from authbus.addresses import canonical
from authbus.commands import AnyCommand
from authbus.contract import EVENTS
from authbus.events import (
    AnyEvent,
    SessionStarted,
)
from authbus_service.auth import handlers
from authbus_service.auth.cause import Cause
from authbus_service.auth.private import NOTHING
from authbus_service.auth.private_parts import new_password, private_part
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import User
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from tests.rig.crowd import PASSWORD, Crowd
from tests.rig.moving import addresses_change, moves
from tests.rig.opened import opened
from tests.rig.world import World

# The time at which a code was made is moved by the test.
CODE = "hash, user_id, purpose, address, expires_at, used_at, credential_version"
STRONGER = Cost(memory_kib=16, time=1, parallelism=1)
HASTY = {"guesses_until_lock": 1, "lock_seconds": 1}


@dataclass
class Fold:
    """Applies events in order, each with the private part that its command gives again."""

    requests: dict[Any, Request]
    hashers: dict[str, Hasher]
    rows: Rows

    def add(self, event: AnyEvent, at: datetime, cost: str) -> None:
        request, private = self.requests.get(event.causation_id), NOTHING
        if request is not None:
            password_hash = self.hashed(event, request, self.hashers[cost])
            private = private_part(event, Cause(request, self.rows, at, password_hash))
        handlers.apply(event, private, self.rows, at)

    def hashed(self, event: AnyEvent, request: Request, hasher: Hasher) -> str:
        """The password that is set, or the one that is known under newer parameters."""
        if isinstance(event, SessionStarted) and isinstance(request.command, LogIn):
            password = request.command.password.get_secret_value()
            user = self.rows.users.by_id[event.user_id]
            verified = hasher.verify(user.password_hash, password)
            assert verified.ok
            return hasher.hash(password, request.derived.salt) if verified.rehash_needed else ""
        password = new_password(request)
        return "" if password is None else hasher.hash(password, request.derived.salt)

    @property
    def emails(self) -> list[dict[str, Any]]:
        """Each user but services has one address, and it is claimed."""
        found = [
            {"canonical": canonical(user.email), "user_id": user.id}
            for user in self.rows.users.by_id.values()
            if not user.is_service
        ]
        return sorted(found, key=lambda each: str(each["canonical"]))

    @property
    def codes(self) -> list[dict[str, Any]]:
        """Each code that was mailed."""
        found = [asdict(each) for _, each in sorted(self.rows.codes.known.items())]
        return [{name: each[name] for name in CODE.split(", ")} for each in found]


async def told(world: World) -> list[tuple[AnyEvent, datetime, int]]:
    """Every event in order, with the time of its commit and its place in the outbox."""
    rows = await world.rows("SELECT type, payload, headers, position FROM outbox ORDER BY position")
    return [
        (
            EVENTS[row["type"]].model_validate_json(row["payload"]),  # pyright: ignore[reportReturnType]
            datetime.fromisoformat(dict(row["headers"])["ce_time"]),
            row["position"],
        )
        for row in rows
        if row["type"] in EVENTS
    ]


async def locks_ended(world: World) -> None:
    locked = "SELECT 1 FROM users WHERE locked_until > clock_timestamp()"
    async with asyncio.timeout(10):
        while await world.rows(locked):  # noqa: ASYNC110 - time ends a lock, and tells nobody
            await asyncio.sleep(0.05)


async def test_all_events_with_their_opened_commands_fold_into_the_tables(world: World) -> None:
    crowd = Crowd(world)
    async with replace(world, settings=HASTY).consuming():
        sessions = await crowd.with_sessions(20)
        await crowd.asked(crowd.log_outs(sessions[:10]))
        await crowd.asked(crowd.registers(range(15, 25)))
        await crowd.asked([world.web.draft(each) for each in _others(sessions[15:19])])
        await addresses_change(world, crowd, sessions[11:15])
    assert moves(event for event, _, __ in await told(world)) == [2, 2, 4, 2]
    before = max(position for _, _, position in await told(world))
    stronger = HashPool(Hasher(STRONGER))
    await locks_ended(world)
    async with replace(world, hashes=stronger).consuming():
        again = await crowd.asked(crowd.log_ins([*range(5), *range(20, 25), 10, 0, 0]))
        await crowd.asked(
            crowd.log_outs([each for each in again[-2:] if isinstance(each, LoggedIn)])
        )
    hashers = {"first": world.hashes.hasher, "stronger": stronger.hasher}
    fold = Fold(await opened(world), hashers, Rows())
    for event, at, position in await told(world):
        fold.add(event, at, "first" if position <= before else "stronger")

    stronger.close()
    users, sessions_, emails, codes = await tables(world)
    assert counted(users, sessions_) == (25, 33, 11, 4, 4, 4)
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    assert sessions_ == by_id(
        asdict(each) | {"amr": " ".join(each.amr)} for each in fold.rows.sessions.known.values()
    )
    assert (emails, codes) == (fold.emails, fold.codes)


def counted(users: list[Any], sessions: list[Any]) -> tuple[int, ...]:
    """Users, sessions, new hashes, locked ones, filled profiles, refreshed sessions."""
    return (
        len(users),
        len(sessions),
        sum("m=16," in each["password_hash"] for each in users),
        sum(each["locked_until"] is not None for each in users),
        sum(len(each["profile"]) > 1 for each in users),
        sum(each["previous_hash"] is not None for each in sessions),
    )


async def tables(world: World) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Every column of every row that events may change."""
    return (
        by_id(await world.rows("SELECT * FROM users")),
        by_id(await world.rows("SELECT * FROM sessions")),
        await world.rows("SELECT * FROM emails ORDER BY canonical"),
        await world.rows(f"SELECT {CODE} FROM codes ORDER BY hash"),
    )


def by_id(rows: Any) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["id"])


def _others(sessions: list[LoggedIn]) -> list[AnyCommand]:
    wrong = map(_wrong, range(10, 15))
    done = ((_changed(each), _profile(each), _refreshed(each)) for each in sessions)
    return [*wrong, *chain.from_iterable(done)]


def _refreshed(session: LoggedIn) -> RefreshSession:
    return RefreshSession(session_id=session.session_id, refresh_token=session.refresh_token)


def _changed(session: LoggedIn) -> ChangePassword:
    return ChangePassword(
        access_token=session.access_token,
        current_password=PASSWORD,
        new_password=SecretStr("staple them together"),
    )


def _wrong(user: int) -> LogIn:
    email = f"user{user}@example.com"
    return LogIn(email=email, password=SecretStr(PASSWORD.get_secret_value() + "!"))


def _profile(session: LoggedIn) -> UpdateProfile:
    return UpdateProfile(
        access_token=session.access_token,
        profile_version=0,
        display_name="Ana",
        attributes={"size": 1e308, "seen": [1, 1.0, True, None]},
    )


def row(user: User) -> dict[str, Any]:
    profile = user.profile.model_dump(mode="json", exclude_none=True)
    return asdict(user) | {"profile": profile, "roles": " ".join(user.roles)}
