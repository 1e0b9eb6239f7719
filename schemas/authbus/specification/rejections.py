"""Rejection codes and the client's errors, as the catalogue of errors shows them."""

import inspect
from collections.abc import Iterator, Sequence

from authbus import errors
from authbus.code import Code
from authbus.errors import AuthError, AuthRejected
from authbus.specification.tables import code, section

_CODES = """
A rejection is an answer, not an error: nothing of the command had an effect. Codes are stable, new
ones may come. "Again?" tells whether the same command, with the same id, may be sent again and can
succeed. "HTTP" is what a web back end answers its own caller, in Python `Code.http_status`,
`Code.retry_after` and the same names on every `AuthError`; `contract.json` has all
of it for programs.

**`email_taken` must never be shown to a stranger**, not by code, text, status or a slower answer:
it tells that somebody has an account. Answer as for a registration that went well; its 409 is for
administrators. `Code.hidden` is true for such a code.
"""
_ERRORS = """
Everything that `AuthClient` and `Verifier` raise on purpose is an `AuthError`.
"""


def as_markdown() -> str:
    """Both sections."""
    head = ("code", "again?", "HTTP", "cause", "cure")
    return "\n".join(
        (
            section("Rejection codes", head, map(_code_line, Code), _CODES),
            section("Errors of the Python client", ("error", "HTTP", "cause"), _errors(), _ERRORS),
        )
    )


def _code_line(each: Code) -> Sequence[str]:
    meaning = each.meaning
    again = "yes" if meaning.retryable else "no"
    return (code(each), again, _http(each), meaning.cause, meaning.cure)


def _errors() -> Iterator[Sequence[str]]:
    for name, each in inspect.getmembers(errors, inspect.isclass):
        if issubclass(each, AuthError) and each is not AuthError:
            status = "the code's" if each is AuthRejected else _http(each)
            yield code(name), status, " ".join((inspect.getdoc(each) or "").split())


def _http(of: Code | type[AuthError]) -> str:
    after = of.retry_after
    return str(of.http_status) if after is None else f"{of.http_status}, `Retry-After: {after}`"
