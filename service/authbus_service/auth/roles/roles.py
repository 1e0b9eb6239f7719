"""What each role permits, the same for every process: users hold roles, roles hold permissions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from authbus_service.auth.roles.permissions import Permission

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that are declared, by name."""

    declared: Mapping[str, frozenset[str]]

    def permissions(self, held: Iterable[str]) -> frozenset[str]:
        """All that these roles permit together; one that is not declared permits nothing."""
        return frozenset[str]().union(*(self.declared.get(name, ()) for name in held))

    def known(self, held: Iterable[str]) -> tuple[str, ...]:
        """Those of these roles that are declared."""
        return tuple(name for name in held if name in self.declared)

    def in_tokens(self, held: Iterable[str]) -> tuple[str, ...]:
        """The same in the order in which access tokens carry them."""
        return tuple(sorted(self.permissions(held)))


BUILT_IN = Roles({ADMIN: frozenset(Permission)})
