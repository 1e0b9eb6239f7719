"""What is kept of the password of a user who is imported."""

from authbus.commands import ImportUser
from authbus.foreign_hashes.hashes import accepted


def imported_hash(command: ImportUser) -> str:
    """The text that is kept of the hash; empty: the user has no password.

    Raises RefusedHashError.
    """
    given = command.password_hash
    return "" if given is None else accepted(given.get_secret_value())
