"""An operator who shuts, opens and erases accounts with proofs of the master key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import SecretStr

from authbus_service.core.security.masters import Masters
from tests.chaos.run.stage import NAMESPACE
from tests.rig.operators import proof


@dataclass(frozen=True)
class Operator:
    """`secrets` are the master key and all proofs: none may be readable anywhere."""

    masters: Masters
    secrets: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Operator":
        """Whoever operates services with these settings."""
        key = SecretStr(settings["AUTHBUS_MASTER_KEY"])
        return cls(Masters.read(key, None), {key.get_secret_value()})

    def proves(self, command_id: UUID) -> SecretStr:
        """The proof for this one command."""
        made = proof(self.masters, NAMESPACE, command_id)
        self.secrets.add(made.get_secret_value())
        return made
