"""What is kept of a user who is imported; a recovery takes it from the command again."""

from typing import Any

from authbus.commands import ImportUser
from authbus_service.auth.users.profile import asked
from authbus_service.core.security.foreign.hashes import accepted


def imported_hash(command: ImportUser) -> str:
    """The text that is kept of the hash; empty: the user has no password.

    Raises RefusedHashError.
    """
    given = command.password_hash
    return "" if given is None else accepted(given.get_secret_value())


def imported_profile(command: ImportUser) -> dict[str, Any]:
    """The fields of the profile that have values, in the contract's order."""
    return {name: value for name, value in asked(command).items() if value is not None}
