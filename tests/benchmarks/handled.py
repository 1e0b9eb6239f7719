"""Commands that the inbox knows, made in bulk: long over, or such that are answered once more."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from authbus import LoggedOut, LogOut
from authbus.envelope import LONGEST_LIFE, Header, Sealed
from authbus.sealing import ReplyKey, seal
from authbus.signing import canonical
from authbus.topics import SESSIONS
from authbus_service.auth.outcome import stored
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time, new_id
from authbus_service.core.security.masters import Masters
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.repository import Handled
from tests.benchmarks.history import uuid7_of

_AT_ONCE = 2_000
_AGE = timedelta(hours=1)
_TOKEN = SecretStr("x" * 86)

Made = tuple[Handled, bytes, list[Header]]


@dataclass(frozen=True)
class LogOuts:
    """Makes log-outs of one installation; `jwk` is what they are sealed to."""

    namespace: str
    masters: Masters
    jwk: Mapping[str, str]
    reply_key: Mapping[str, str]

    @classmethod
    def of(cls, namespace: str, masters: Masters, jwk: Mapping[str, str]) -> "LogOuts":
        """All answered under one key."""
        return cls(namespace, masters, jwk, ReplyKey().public)

    def old(self) -> Made:
        """Of an hour ago."""
        return self._made(datetime.now(UTC) - _AGE)

    def fresh(self) -> Made:
        """Of now; somebody may wait for the answer for as long as is allowed."""
        return self._made(datetime.now(UTC))

    def _made(self, at: datetime) -> Made:
        id_ = uuid7_of(at)
        session_id = new_id()
        sealed = Sealed.model_validate(
            {
                "id": id_,
                "type": LogOut.wire_type(),
                "data": LogOut(session_id=session_id, refresh_token=_TOKEN).to_json(),
                "source": "/clients/web",
                "time": at,
                "expirytime": (id_time(id_) or at) + LONGEST_LIFE,
                "reply_to": f"{self.namespace}.replies.web",
                "correlation_id": str(id_),
                "reply_key": dict(self.reply_key),
            }
        )
        value = seal(sealed.to_bytes(), self.jwk)
        form = {"type": sealed.type, "source": sealed.source, "data": sealed.data}
        handled = Handled(
            time=id_time(id_) or at,
            id=id_,
            digest=sha256(value).digest(),
            content=self.masters.content_digest(canonical(form)),
            master=self.masters.current,
            expires_at=sealed.expirytime,
            handled_at=at,
            outcome=stored(LoggedOut(session_id=session_id)),
        )
        return handled, value, sealed.headers()


async def make(
    kafka: str, database: Database, namespace: str, one: Callable[[], Made], count: int
) -> None:
    """So many, on their topic and in the inbox."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, max_batch_size=60_000) as producer:
        for begin in range(0, count, _AT_ONCE):
            made = [one() for _ in range(begin, min(begin + _AT_ONCE, count))]
            async with database.transaction() as db:
                await inbox.put(db, [handled for handled, _, _ in made])
            sent: list[asyncio.Future[Any]] = [
                await producer.send(
                    SESSIONS.name(namespace), value, key=handled.id.bytes, headers=headers
                )
                for handled, value, headers in made
            ]
            await asyncio.gather(*sent)
