"""TLS to PostgreSQL, as libpq's words in the address ask for it."""

from typing import Any

from sqlalchemy import URL

from authbus.tls import Tls

_WORDS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_UNCHECKED = {"disable", "allow", "prefer", "require"}
_CHECKED = {"verify-ca", "verify-full"}


def taken_out(url: URL) -> tuple[URL, dict[str, Any]]:
    """The address without these words, and asyncpg's arguments for them.

    `verify-full` checks chain and host name, `verify-ca` the chain alone; without `sslrootcert`, or
    with `system`, the system's CAs count. `require` without it encrypts and checks nothing, as
    libpq has it. Raises OSError and ValueError.
    """
    given = {word: str(url.query[word]) for word in _WORDS if word in url.query}
    mode, root = given.get("sslmode", ""), given.get("sslrootcert")
    bare = url.difference_update_query(_WORDS)
    if mode not in {"", *_UNCHECKED, *_CHECKED}:
        raise ValueError(f"sslmode must be one of {', '.join(sorted(_UNCHECKED | _CHECKED))}")
    if root not in {None, "system"} and mode == "require":
        mode = "verify-ca"
    if root == "system" and mode != "verify-full":
        raise ValueError("sslrootcert=system needs sslmode=verify-full: anybody has a certificate")
    if mode in _CHECKED:
        files = Tls(None if root == "system" else root, given.get("sslcert"), given.get("sslkey"))
        return bare, {"ssl": files.context(check_host=mode == "verify-full")}
    if given.keys() - {"sslmode"}:
        raise ValueError("sslrootcert, sslcert and sslkey need sslmode=verify-full or verify-ca")
    return bare, {"ssl": mode} if mode else {}
