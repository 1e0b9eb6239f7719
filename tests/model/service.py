"""What plays are played against: something that handles commands, and shows what came of them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from authbus.events import AnyEvent
from authbus.message import Command, Reply
from authbus_service.auth.guessing.limits import Limits
from authbus_service.auth.proof import Policy
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import Masters
from tests.model.expected import By
from tests.model.people import START, Seen
from tests.rig.made import POLICY as USUAL

MASTERS = Masters([bytes(range(32))])
ISSUER = "authbus/model"
KEYRING = KeyRing(MASTERS)
KEYRING.load([Key(f"{use}1", use, MASTERS.current, START) for use in ("sig", "enc")])
WAITS = timedelta(minutes=5)

_HELPER = frozenset({"users:read", "users:write", "roles:grant", "services:write"})
# Small numbers, so that a short play meets each limit.
POLICY: Policy = replace(
    USUAL,
    roles=Roles({**BUILT_IN.declared, "helper": _HELPER, "clerk": frozenset({"orders:write"})}),
    session_lifetime=timedelta(days=3),
    session_idle=timedelta(days=1),
    sessions_per_user=2,
    guessing=Limits(at_once=2, until_lock=3, per_source=6),
)


@dataclass(frozen=True)
class Mailed:
    """A mail that waits to be sent, and the code that will be in it."""

    template: str
    address: str
    code: str | None


class Service(Protocol):
    """Handles one command after the other, at the time to which it was moved."""

    def move(self, at: datetime) -> None:
        """It is so late now."""

    def keep_house(self) -> None:
        """What is done each hour."""

    def sweep(self) -> None:
        """End the sessions that are over."""

    def ask(self, command: Command, by: By) -> Reply:
        """The answer."""
        ...

    def news(self) -> tuple[list[AnyEvent], list[Mailed]]:
        """What was told and mailed since it was asked last."""
        ...

    def seen(self) -> Seen:
        """What stands in the tables."""
        ...


def command_id(at: datetime, number: int) -> UUID:
    """A UUIDv7 of this time."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | number)
