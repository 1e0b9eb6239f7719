"""What may stand in a log line: short plain values, nothing secret, of a foreign error no text."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

HIDDEN = "[hidden]"
_LONGEST = 256
_SCANNED = 2048
_ITEMS = 32
_DEPTH = 4
_CHAIN = 5
_FRAMES = 8
_TELLING = 4
_OURS = ("authbus", "authbus_service")
_SECRET_NAME = re.compile(
    r"passw|secret|token|authori[sz]ation|cookie|credential|private|e_?mail"
    r"|(^|_)(key|jwk|jwks|pem|seed|salt|phc|hash|master)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"eyJ[\w-]{8,}[\w.-]*"  # JOSE
    r"|\$argon2\S*"
    r"|(?<=://)[^\s/@]{1,256}(?=@)"  # user and password in an address
    r"|(?<=password=)[^\s&\"'<>]{1,256}"  # the same in its query
    r"|[^\s@\"'<>:/]{1,64}@[^\s@\"'<>:/]{1,255}\.[^\s@\"'<>:/.]{2,}"
)


def clean(values: Mapping[str, Any], depth: int = _DEPTH) -> dict[str, Any]:
    """The same as plain JSON data: short, finite, masked where a name or a value is secret."""
    return {
        _text(str(name)): HIDDEN if _SECRET_NAME.search(str(name)) else _plain(value, depth)
        for name, value in list(values.items())[:_ITEMS]
    }


def _plain(value: object, depth: int) -> Any:  # noqa: ANN401 - JSON
    match value:
        case None | bool() | int():
            return value if value is None or abs(value) < 2**63 else HIDDEN
        case float():
            return value if math.isfinite(value) else str(value)
        case str() | UUID() | Path() | Enum():
            return _text(str(value.value) if isinstance(value, Enum) else str(value))
        case datetime():
            return value.isoformat()
        case BaseException():
            return told(value)
        case Mapping() if depth:
            return clean(value, depth - 1)
        case list() | tuple() | set() | frozenset() if depth:
            return [_plain(each, depth - 1) for each in list(value)[:_ITEMS]]
        case _:
            return f"<{type(value).__name__}>"


def _text(text: str) -> str:
    masked = _SECRET_VALUE.sub(HIDDEN, text[:_SCANNED])
    return masked if len(masked) <= _LONGEST else masked[: _LONGEST - 3] + "..."


def told(error: BaseException) -> str:
    """An error in words: its class, and its text only when the class is ours."""
    name = type(error).__name__
    ours = type(error).__module__.partition(".")[0] in _OURS
    return _text(f"{name}: {error}") if ours and str(error) else name


def without_text(message: str, errors: Iterable[BaseException]) -> str:
    """A foreign log message without the text or repr of the errors that it tells of."""
    for each in (every for error in errors for every in _chain(error)):
        for text in (repr(each), str(each)):
            message = message.replace(text, told(each)) if len(text) >= _TELLING else message
    return message


def trace(error: BaseException) -> list[dict[str, Any]]:
    """An error and what caused it: class, places from the inside out, never a local value."""
    return [{"error": told(each), "at": _places(each.__traceback__)} for each in _chain(error)]


def _chain(error: BaseException) -> list[BaseException]:
    waiting = [error]
    seen: list[BaseException] = []
    while waiting and len(seen) < _CHAIN:
        each = waiting.pop(0)
        if any(each is other for other in seen):
            continue
        seen.append(each)
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [] if cause is None else [cause]
    return seen


def _places(traceback: TracebackType | None) -> list[str]:
    places: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        where = "/".join(Path(code.co_filename).parts[-3:])
        places.append(f"{where}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[::-1][:_FRAMES]


def as_json(values: Mapping[str, Any]) -> str:
    """One JSON object on one line of ASCII; values as `clean` leaves them."""
    return json.dumps(values, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def as_text(values: Mapping[str, Any]) -> str:
    """The same for a person: time, level, event, then names and values; ASCII on one line."""
    rest = dict(values)
    head = [rest.pop(name, "") for name in ("time", "level", "event")]
    pairs = [f"{_word(name)}={_word(value)}" for name, value in rest.items()]
    return " ".join([f"{head[0]} {head[1]:7} {_word(head[2], plain=' ')}", *pairs])


def _word(value: object, plain: str = "") -> str:
    if isinstance(value, str) and re.fullmatch(rf"[\w.,:;/+@%'()\[\]{plain}-]+", value, re.ASCII):
        return value
    return json.dumps(value, ensure_ascii=True)
