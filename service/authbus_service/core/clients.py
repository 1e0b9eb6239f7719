"""Declared clients: who may send commands, for whom its tokens are, where its answers go.

Beside them: who reads, and the names by which Kafka knows the service itself. ACLs follow from it.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from authbus.envelope import source_of
from authbus.topics import Topic, replies
from authbus_service.core.config import ConfigError
from authbus_service.core.toml_tables import read_tables

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
_Principal = Annotated[str, StringConstraints(pattern=r"^User:[^*\s][^\s]*$")]
_Audience = Annotated[str, StringConstraints(min_length=1, max_length=128)]


def _own_id(read: dict[str, Any]) -> tuple[str, ...]:
    return (read["id"],)


class Client(BaseModel):
    """One producer. Its tokens are for `audiences`, its own id where none is declared.

    `principal` is the name by which Kafka knows it, for example `User:web`. With `admin` that name
    may also write to the topic of administrators' commands, which still need a token each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Id
    audiences: Annotated[tuple[_Audience, ...], Field(min_length=1)] = Field(
        default_factory=_own_id
    )
    principal: _Principal | None = None
    admin: bool = False

    @property
    def source(self) -> str:
        """What this client's commands carry as `ce_source`."""
        return source_of(self.id)

    @property
    def reply_topic(self) -> Topic:
        """The only topic on which this client is answered."""
        return replies(self.id)


class Reader(BaseModel):
    """One downstream module: it reads events as `group`, and verifies tokens.

    With `personal_data` also the topic with users' addresses, with `audit` what auditors read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    principal: _Principal
    group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    personal_data: bool = False
    audit: bool = False


class Principals(BaseModel):
    """By which names Kafka knows the service's consumers, its relay, and who operates it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consumer: _Principal = "User:authbus"
    relay: _Principal = "User:authbus-relay"
    operator: _Principal = "User:authbus-operator"


class Declared(BaseModel):
    """All that the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client: Annotated[tuple[Client, ...], Field(min_length=1)]
    reader: tuple[Reader, ...] = ()
    principals: Principals = Principals()

    @property
    def clients(self) -> Mapping[str, Client]:
        """The clients by id."""
        return MappingProxyType({client.id: client for client in self.client})


EMBEDDED_CLIENTS: Mapping[str, Client] = MappingProxyType(
    {id_: Client(id=id_) for id_ in ("web", "demo", "shell")}
)


def read_clients(path: Path) -> Mapping[str, Client]:
    """The clients in a file of `[[client]]` tables (id, audiences, principal, admin), by id.

    Raises ConfigError when the file cannot be read or declares something wrong.
    """
    return read_declared(path).clients


def read_declared(path: Path) -> Declared:
    """The whole file: `[[client]]`, `[[reader]]` and `[principals]`. Raises as `read_clients`."""
    declared = read_tables(Declared, path, "AUTHBUS_CLIENTS")
    if len(declared.clients) < len(declared.client):
        raise ConfigError(f"AUTHBUS_CLIENTS: {path}: an id is declared twice. Leave one")
    return declared
