"""A history as a service leaves it on its topics: sealed commands and the events they caused.

It is written at once, with the times of a history that took long: so the clocks of the ids, of
the topics and of the effects agree as they do in life.
"""

import asyncio
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from authbus import LogIn, LogOut, RefreshSession, RegisterUser, UpdateProfile
from authbus.commands import AnyCommand
from authbus.contract import topic_of
from authbus.envelope import Sealed
from authbus.events import (
    AnyEvent,
    EndReason,
    ProfileUpdated,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    UserCreated,
)
from authbus.sealing import ReplyKey, seal
from authbus.signing import canonical
from authbus_service.auth.request import Derived
from authbus_service.consumers.telling import Told, records
from authbus_service.core.security.masters import Masters
from tests.rig.clocks import any_times
from tests.rig.crowd import PASSWORD, email

_BATCH = 60_000  # no larger than a topic of commands takes
LIFE = timedelta(seconds=30)
_WAITED = timedelta(milliseconds=20)
_TOKEN = SecretStr("x" * 700)  # as long as an access token; nobody reads it again


@dataclass
class Person:
    """A user of the history and what they hold."""

    number: int
    id: UUID | None = None
    sequence: int = 0
    session: UUID | None = None
    token: str = ""
    profile_version: int = 0


@dataclass
class History:
    """Makes so many `commands` of `people`, `rate` a second, up to now, sealed to `jwk`."""

    servers: str
    namespace: str
    masters: Masters
    jwk: Mapping[str, str]
    commands: int
    people: list[Person]
    rate: float
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    reply_key: dict[str, str] = field(default_factory=lambda: dict(ReplyKey().public))

    async def write(self) -> None:
        """Everything onto the topics."""
        begin = datetime.now(UTC) - timedelta(seconds=self.commands / self.rate)
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, linger_ms=20, max_batch_size=_BATCH
        )
        async with any_times(self.servers, self.namespace), producer:
            sent: list[asyncio.Future[Any]] = []
            for number in range(self.commands):
                at = begin + timedelta(seconds=number / self.rate)
                sent += await self._one(producer, self.people[number % len(self.people)], at)
            await asyncio.gather(*sent)

    async def _one(
        self, producer: AIOKafkaProducer, person: Person, at: datetime
    ) -> list[asyncio.Future[Any]]:
        command = self._asks(person)
        sealed = self._sealed(command, at)
        masters = self.masters
        form = {"type": sealed.type, "source": sealed.source, "data": sealed.data}
        content = masters.content_digest(canonical(form))
        by = Derived(masters, masters.current, sealed.id, content)
        event = self._event(person, command, by, at + _WAITED)
        topic = topic_of(type(command)).name(self.namespace)
        value = seal(sealed.to_bytes(), self.jwk)
        key = str(person.number).encode()
        sent = {"timestamp_ms": _ms(at), "headers": sealed.headers()}
        first = await producer.send(topic, value, key=key, **sent)  # pyright: ignore[reportArgumentType]
        (said,) = records(by, [Told(event, None)], at + _WAITED)
        second = await producer.send(
            said.topic.name(self.namespace),
            said.payload,
            key=said.key.encode(),
            headers=list(said.headers),  # pyright: ignore[reportArgumentType]
            timestamp_ms=_ms(at + 2 * _WAITED),
        )
        return [first, second]

    def _asks(self, person: Person) -> AnyCommand:
        if person.id is None:
            return RegisterUser(email=email(person.number), password=PASSWORD)
        if person.session is None:
            return LogIn(email=email(person.number), password=PASSWORD)
        held: dict[str, Any] = {
            "session_id": person.session,
            "refresh_token": SecretStr(person.token),
        }
        chance = self.chance.random()
        if chance < 0.6:
            return RefreshSession(**held)
        if chance < 0.8:
            return LogOut(**held)
        version = person.profile_version
        return UpdateProfile(access_token=_TOKEN, profile_version=version, display_name="Ana")

    def _event(self, person: Person, command: AnyCommand, by: Derived, at: datetime) -> AnyEvent:
        person.id = person.id or by.user_id
        person.sequence += 1
        told: dict[str, Any] = {
            "user_id": person.id,
            "sequence": person.sequence,
            "actor": f"user:{person.id}",
            "causation_id": by.command_id,
        }
        match command:
            case RegisterUser():
                return UserCreated(**told)
            case LogIn():
                person.session, person.token = by.session_id, by.refresh_token
                times: dict[str, Any] = {
                    "expires_at": at + timedelta(30),
                    "lapses_at": at + timedelta(7),
                }
                session: dict[str, Any] = {
                    "session_id": person.session,
                    "client_id": "web",
                    "amr": ("pwd",),
                }
                return SessionStarted(**told, **session, **times)
            case RefreshSession():
                person.token = by.next_refresh_token(person.token)
                told |= {"session_id": person.session, "lapses_at": at + timedelta(7)}
                return SessionRefreshed(**told)
            case LogOut():
                told |= {"session_id": person.session}
                person.session = None
                return SessionEnded(**told, reason=EndReason.LOGOUT)
            case _:
                person.profile_version += 1
                told |= {"profile_version": person.profile_version, "fields": ("display_name",)}
                return ProfileUpdated(**told)

    def _sealed(self, command: AnyCommand, at: datetime) -> Sealed:
        return Sealed.model_validate(
            {
                "id": uuid7_of(at),
                "type": type(command).wire_type(),
                "data": command.to_json(),
                "source": "/clients/web",
                "time": at,
                "expirytime": at + LIFE,
                "reply_to": f"{self.namespace}.replies.web",
                "correlation_id": "1",
                "reply_key": self.reply_key,
            }
        )


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def uuid7_of(at: datetime) -> UUID:
    """An id of a command of that time."""
    chance = int.from_bytes(os.urandom(10), "big")
    bits = _ms(at) << 80 | chance
    bits &= ~((0xF << 76) | (0b11 << 62))
    return UUID(int=bits | 0x7 << 76 | 0b10 << 62)
