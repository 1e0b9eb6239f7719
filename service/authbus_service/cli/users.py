"""`authbus users`: commands like everybody's, proven by the master key."""

import sys
from getpass import getpass
from uuid import UUID

from authbus.client import AuthClient
from authbus.signing import thumbprint
from authbus.uuid7 import uuid7
from authbus_service.auth.roles.roles import ADMIN
from authbus_service.cli.output import show
from authbus_service.cli.running import run_quietly
from authbus_service.core import clock
from authbus_service.core.config import Settings, load
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import operator_token
from authbus_service.startup.errors import StartupError
from authbus_service.startup.master_key import kept_master_key

_OWN_KAFKA = "localhost:9092"


def create(email: str, *, admin: bool, client: str) -> None:
    """Register a user and print the id; `admin` gives the role that permits everything."""
    settings = load()
    masters = masters_of(settings)
    user_id = run_quietly(_create(settings, masters, email, _password(), admin, client))
    show({"user_id": str(user_id), "roles": [ADMIN] if admin else []})


def grant(user_id: UUID, role: str, *, client: str) -> None:
    """Give a user a role and print all that they hold."""
    settings = load()
    roles = run_quietly(_grant(settings, masters_of(settings), user_id, role, client))
    show({"user_id": str(user_id), "roles": list(roles)})


async def _create(
    settings: Settings, masters: Masters, email: str, password: str, admin: bool, client: str
) -> UUID:
    async with client_of(settings, masters, client) as auth:
        user = await auth.register(email, password)
        if admin:
            await _granted(auth, settings, masters, user.user_id, ADMIN)
        return user.user_id


async def _grant(
    settings: Settings, masters: Masters, user_id: UUID, role: str, client: str
) -> tuple[str, ...]:
    async with client_of(settings, masters, client) as auth:
        return await _granted(auth, settings, masters, user_id, role)


async def _granted(
    auth: AuthClient, settings: Settings, masters: Masters, user_id: UUID, role: str
) -> tuple[str, ...]:
    command_id = uuid7()
    proof = proof_for(settings, masters, command_id)
    return await auth.admin.grant_role(proof, user_id, role, command_id=command_id)


def proof_for(settings: Settings, masters: Masters, command_id: UUID) -> str:
    """What stands in place of an administrator's token."""
    return operator_token(masters, issuer=settings.issuer, command_id=command_id, at=clock.now())


def client_of(settings: Settings, masters: Masters, client: str) -> AuthClient:
    """A client that trusts these masters alone: keys of each may be there while one is replaced."""
    return AuthClient(
        settings.kafka_bootstrap_servers or _OWN_KAFKA,
        client_id=client,
        trust=tuple(thumbprint(masters.root_key(each).public_key()) for each in masters.names),
        namespace=settings.namespace,
        issuer=settings.issuer,
        security=settings.client_security(),
    )


def masters_of(settings: Settings) -> Masters:
    """As they are set; on this machine's own servers, those of their data folder."""
    if settings.master_key is not None or settings.master_key_file is not None:
        return Masters.read(settings.master_key, settings.master_key_file)
    if settings.kafka_bootstrap_servers is None:
        return Masters.read(None, kept_master_key(settings.data))
    return Masters.read(None, None)


def _password() -> str:
    """Asked for twice in a terminal, else the first line of standard input; never an argument."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise StartupError("the two passwords differ. Type them again")
    return password
