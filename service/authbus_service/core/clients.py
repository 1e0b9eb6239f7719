"""Declared clients: who may send commands, for whom its tokens are, where its answers go."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from authbus.topics import Topic, replies
from authbus_service.core.config import ConfigError

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
_Audience = Annotated[str, StringConstraints(min_length=1, max_length=128)]


def _own_id(read: dict[str, Any]) -> tuple[str, ...]:
    return (read["id"],)


class Client(BaseModel):
    """One producer. Its tokens are for `audiences`, its own id where none is declared.

    `principal` is the name by which Kafka knows it, for example `User:web`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _Id
    audiences: Annotated[tuple[_Audience, ...], Field(min_length=1)] = Field(
        default_factory=_own_id
    )
    principal: Annotated[str, StringConstraints(min_length=1)] | None = None

    @property
    def source(self) -> str:
        """What this client's commands carry as `ce_source`."""
        return f"/clients/{self.id}"

    @property
    def reply_topic(self) -> Topic:
        """The only topic on which this client is answered."""
        return replies(self.id)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    client: Annotated[tuple[Client, ...], Field(min_length=1)]


EMBEDDED_CLIENTS: Mapping[str, Client] = MappingProxyType(
    {id_: Client(id=id_) for id_ in ("web", "demo", "shell")}
)


def read_clients(path: Path) -> Mapping[str, Client]:
    """The clients in a file of `[[client]]` tables (id, audiences, principal), by id.

    Raises ConfigError when the file cannot be read or declares something wrong.
    """
    try:
        declared = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).client
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"AUTHBUS_CLIENTS: {path} cannot be read: {reason}") from None
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ConfigError(f"AUTHBUS_CLIENTS: {path}: {told}") from None
    by_id = {client.id: client for client in declared}
    if len(by_id) < len(declared):
        raise ConfigError(f"AUTHBUS_CLIENTS: {path}: an id is declared twice")
    return MappingProxyType(by_id)
