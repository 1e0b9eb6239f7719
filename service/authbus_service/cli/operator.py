"""An operator: asks as a declared client does, each command proven by the master key."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from authbus.client import AuthClient
from authbus.client.pages import P, pages
from authbus.uuid7 import uuid7
from authbus_service.cli.running import run_quietly
from authbus_service.core import clock
from authbus_service.core.config import Settings, load
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import operator_token
from authbus_service.startup.errors import StartupError
from authbus_service.startup.master_key import masters_of

_OWN_KAFKA = "localhost:9092"

T = TypeVar("T")


class Operator:
    """Whoever holds the master key, at a running service."""

    def __init__(self, auth: AuthClient, settings: Settings, masters: Masters) -> None:
        """`auth` asks for it."""
        self.auth = auth
        self.admin = auth.admin
        self._issuer, self._masters = settings.issuer, masters

    async def ask(self, call: Callable[..., Awaitable[T]], *about: object, **more: Any) -> T:  # noqa: ANN401
        """Call one of `auth.admin` with a proof in place of an administrator's token.

        Raises what the call raises.
        """
        command_id = uuid7()
        proof = operator_token(
            self._masters, issuer=self._issuer, command_id=command_id, at=clock.now()
        )
        return await call(proof, *about, **more, command_id=command_id)

    async def pages(
        self, call: Callable[..., Awaitable[P]], *about: object, **more: object
    ) -> list[P]:
        """Every page of such a call, each with a proof of its own. Raises what the call raises."""
        return await pages(lambda after: self.ask(call, *about, after=after, **more))

    async def user_id(self, whose: str) -> UUID:
        """Of an id or an address. Raises StartupError when nobody has that address."""
        try:
            return UUID(whose)
        except ValueError:
            pass
        found = await self.ask(self.admin.find, email_prefix=whose, limit=1)
        for user in found.users:
            if user.email is not None and user.email.lower() == whose.lower():
                return user.user_id
        raise StartupError("nobody has this address. Look how it is written")


def as_operator(client: str, work: Callable[[Operator], Awaitable[T]]) -> T:
    """Run this work as an operator who asks as this declared client."""
    return run_quietly(_work(client, work))


async def _work(client: str, work: Callable[[Operator], Awaitable[T]]) -> T:
    settings = load()
    masters = masters_of(settings)
    async with _client_of(settings, masters, client) as auth:
        return await work(Operator(auth, settings, masters))


def _client_of(settings: Settings, masters: Masters, client: str) -> AuthClient:
    """It trusts these masters alone: keys of each may be there while one is replaced."""
    return AuthClient(
        settings.kafka_bootstrap_servers or _OWN_KAFKA,
        client_id=client,
        trust=tuple(map(masters.root_thumbprint, masters.names)),
        namespace=settings.namespace,
        issuer=settings.issuer,
        security=settings.client_security(),
    )
