"""JSON from outside: one object, bounded before it is parsed, with one meaning, never echoed."""

import json
import math
import re
from typing import Any, NoReturn, cast

LARGEST_INTEGER = 2**63 - 1
_INTEGER_DIGITS = 19

# Always reaches a quote or the end, so that a hostile text is scanned once and not once per quote.
_STRING = re.compile(rb'"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")


class JsonError(ValueError):
    """Not the JSON that is read here. `reason` is one word, stable, and free of the input.

    One of: size, encoding, depth, syntax, number, duplicate, surrogate, not_object.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not acceptable JSON: {reason}")
        self.reason = reason


def read_json(data: bytes, *, max_bytes: int = 65536, max_depth: int = 32) -> dict[str, Any]:
    """The object that `data` is; numbers fit 64 bits, no key stands twice, no surrogate is alone.

    Raises JsonError for anything else, whatever the bytes: never RecursionError or MemoryError.
    """
    if len(data) > max_bytes:
        raise JsonError("size")
    if _too_deep(data, max_depth):
        raise JsonError("depth")
    found = _parse(_text(data))
    if b"\\u" in data and _has_lone_surrogate(found):
        raise JsonError("surrogate")
    if not isinstance(found, dict):
        raise JsonError("not_object")
    return cast("dict[str, Any]", found)


def _text(data: bytes) -> str:
    # Errors are raised after the handler: the codec's and the parser's own carry the whole input.
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or text.startswith("\ufeff"):
        raise JsonError("encoding")
    return text


def _parse(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except JsonError:
        raise
    except ValueError:
        pass
    raise JsonError("syntax")


def _too_deep(data: bytes, most: int) -> bool:
    if data.count(b"[") + data.count(b"{") <= most:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > most:
            return True
    return False


def _has_lone_surrogate(found: object) -> bool:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("duplicate")
    return found


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _INTEGER_DIGITS or abs(int(text)) > LARGEST_INTEGER:
        raise JsonError("number")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonError("number")
    return number


def _no_constant(_: str) -> NoReturn:
    raise JsonError("number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_no_constant,
    parse_float=_finite,
    parse_int=_integer,
)
