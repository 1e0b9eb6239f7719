"""The file of roles: `[[role]]` tables with a name and what it permits."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from authbus_service.auth.roles.roles import ADMIN, BUILT_IN, Roles
from authbus_service.core.config import ConfigError
from authbus_service.core.toml_tables import read_tables

# All of them may stand in one access token; whether it has room for them, the start looks.
MOST_PERMISSIONS = 200

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
_Permission = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}:[a-z0-9_-]{1,31}$")]


class _Role(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    permissions: Annotated[tuple[_Permission, ...], Field(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Annotated[tuple[_Role, ...], Field(min_length=1)]


def read_roles(path: Path | None) -> Roles:
    """The built-in role `admin` and those of the file.

    Raises ConfigError when the file cannot be read or declares something wrong.
    """
    if path is None:
        return BUILT_IN
    found = read_tables(_File, path, "AUTHBUS_ROLES").role
    declared = {role.name: frozenset(role.permissions) for role in found}
    if ADMIN in declared:
        raise ConfigError(f"AUTHBUS_ROLES: {path}: {ADMIN} is built in. Take another name")
    if len(declared) < len(found):
        raise ConfigError(f"AUTHBUS_ROLES: {path}: a role is declared twice. Leave one")
    roles = Roles({**BUILT_IN.declared, **declared})
    if len(roles.permissions(roles.declared)) > MOST_PERMISSIONS:
        raise ConfigError(
            f"AUTHBUS_ROLES: {path}: more than {MOST_PERMISSIONS} permissions. Declare fewer"
        )
    return roles
