"""What files declare has room in an access token: else nobody who holds all of it could log in."""

import base64
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from authbus.commands import AnyCommand, LogIn, RefreshSession
from authbus.message import Reply
from authbus.replies import LoggedIn, Refreshed
from authbus.second_factor import SteppedUp, StepUp
from authbus_service.auth.granting import Granting
from authbus_service.auth.outcome import Elevated, Granted, Renewed
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.auth.sessions.tokens import terms
from authbus_service.core import clock
from authbus_service.core.clients import Client
from authbus_service.core.config import ConfigError, Settings
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.main import Service
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.recovery import recovery
from authbus_service.startup.roles import declared_roles
from authbus_service.startup.servers import Servers
from tests.rig.made import MASTERS, POLICY, a_request

TOKEN = SecretStr("t.t")
TOO_LONG = re.compile(r"(?P<longest>\d+) characters long, (?P<surplus>\d+) too many")
ASKED: Mapping[type[Granted], tuple[AnyCommand, type[Reply]]] = {
    Granted: (LogIn(email="ana@example.com", password=TOKEN), LoggedIn),
    Renewed: (RefreshSession(session_id=new_id(), refresh_token=TOKEN), Refreshed),
    Elevated: (StepUp(access_token=TOKEN, code=TOKEN), SteppedUp),
}


@dataclass(frozen=True)
class Installation:
    """Its two files and its issuer."""

    folder: Path
    issuer: str = "authbus/auth"
    audiences: Sequence[str] = ("web",)

    def settings(self, permissions: Sequence[str] = ()) -> Settings:
        """One role for each permission, as a name and a half."""
        roles, clients = self.folder / "roles.toml", self.folder / "clients.toml"
        roles.write_text(
            "\n".join(
                f'[[role]]\nname = "r{index}"\npermissions = ["{each}", "users:read"]'
                for index, each in enumerate(permissions)
            )
        )
        clients.write_text(
            '[[client]]\nid = "a"\n'
            f'[[client]]\nid = "web"\naudiences = {list(self.audiences)}\n'
            '[[client]]\nid = "b"\n',
            encoding="utf-8",
        )
        return Settings(
            roles=roles if permissions else None, clients=clients, issuer=self.issuer, namespace="a"
        )

    def read(self, permissions: Sequence[str] = ()) -> tuple[Mapping[str, Client], Roles]:
        """What a start reads of it."""
        settings = self.settings(permissions)
        clients = declared_clients(settings.clients, own_kafka=False)
        return clients, declared_roles(settings, clients)

    def takes(self, permissions: Sequence[str]) -> bool:
        """Whether a process starts with them."""
        try:
            self.read(permissions)
        except ConfigError:
            return False
        return True

    def fullest(self) -> list[str]:
        """As many permissions as it takes, and the last of them as long as it takes it."""
        found: list[str] = []
        for short in _names():
            if not self.takes([*found, short]):
                break
            found.append(short)
        while self.takes([*found[:-1], f"{found[-1]}x"]):
            found[-1] += "x"
        return found


def _names() -> Iterator[str]:
    return (f"orders{index:03}:read" for index in range(180))


def answers(issuer: str, client: Client, roles: Roles) -> list[Reply]:
    """What somebody is answered who holds every role."""
    ring, at = KeyRing(MASTERS), clock.now()
    ring.load(first_keys(at, MASTERS))
    grant = Granting(issuer, ring.sign)
    held = tuple(sorted(roles.declared))
    granted = terms(replace(POLICY, roles=roles), held, at, at + timedelta(days=30))
    who = {"user_id": new_id(), "session_id": new_id(), "auth_time": at}
    return [
        grant(
            kind.model_validate({**who, **granted, "amr": ("pwd", "otp", "mfa")}),
            replace(a_request(command), client=client),
        )
        for kind, (command, _) in ASKED.items()
    ]


@pytest.mark.parametrize(
    ("issuer", "audiences"),
    [
        ("authbus/auth", ["web"]),
        ("https://id.example.com/" + "x" * 232, ["shop", "api", "billing" * 18]),
        ("ausweis/größe", ["größe" * 20, "🔑" * 9]),
    ],
    ids=["usual", "long", "beyond ASCII"],
)
def test_who_holds_every_role_of_the_largest_file_that_is_taken_has_their_tokens(
    tmp_path: Path, issuer: str, audiences: Sequence[str]
) -> None:
    installation = Installation(tmp_path, issuer, audiences)
    permissions = installation.fullest()
    clients, roles = installation.read(permissions)

    for client in clients.values():
        found = answers(issuer, client, roles)
        assert [type(each) for each in found] == [reply for _, reply in ASKED.values()]

    more = {f"r{len(permissions) - 1}": frozenset({f"{permissions[-1]}x", "users:read"})}
    with pytest.raises(ValidationError, match="4096"):
        answers(issuer, clients["web"], Roles({**roles.declared, **more}))


def test_a_file_of_roles_that_is_too_long_is_named_with_the_client_and_the_cure(
    tmp_path: Path,
) -> None:
    permissions = [f"aaaaaaaa:{index:07}" for index in range(160)]

    with pytest.raises(ConfigError) as raised:
        Installation(tmp_path).read(permissions)

    told = TOO_LONG.search(str(raised.value))
    assert told is not None
    assert int(told["longest"]) - int(told["surplus"]) == 4096
    assert TOO_LONG.sub("...", str(raised.value)) == (
        f"AUTHBUS_ROLES: {tmp_path}/roles.toml: with every role an access token for the client "
        "web is .... Declare fewer or shorter permissions and roles, or audiences for this client"
    )


async def test_no_process_begins_to_handle_or_to_recover_with_such_a_file(tmp_path: Path) -> None:
    roles = Installation(tmp_path).settings([f"aaaaaaaa:{index:07}" for index in range(160)])
    elsewhere = {
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "database_url": SecretStr("postgresql://authbus@127.0.0.1:1/authbus"),
        "master_key": SecretStr(base64.b64encode(os.urandom(32)).decode()),
    }
    settings = roles.model_copy(update=elsewhere)
    servers = Servers(settings, own_kafka=False, own_database=False, stack=None)

    with pytest.raises(ConfigError, match="too many"):
        Service(servers)
    with pytest.raises(ConfigError, match="too many"):
        async with recovery(servers, _untold):
            pass


def _untold(_step: str, _done: int, _of: int | None) -> None:
    pass


def test_a_file_of_clients_that_is_too_long_without_any_roles_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        Installation(tmp_path, audiences=[f"{index:0128}" for index in range(30)]).read()

    assert TOO_LONG.sub("...", str(raised.value)) == (
        f"AUTHBUS_CLIENTS: {tmp_path}/clients.toml: an access token for the client web is .... "
        "Declare fewer or shorter audiences for it"
    )


def test_an_issuer_that_leaves_no_room_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"AUTHBUS_ISSUER: .*\. Take a shorter one"):
        Installation(tmp_path, issuer="🔑" * 255).read()


def test_a_role_that_is_declared_no_more_takes_no_room(tmp_path: Path) -> None:
    clients, roles = Installation(tmp_path).read()
    gone = tuple(f"{index:040}" for index in range(200))
    at = clock.now()

    found = terms(replace(POLICY, roles=roles), ("admin", *gone), at, at + timedelta(days=1))

    assert roles == BUILT_IN
    assert list(clients) == ["a", "web", "b"]
    assert found["roles"] == ("admin",)
