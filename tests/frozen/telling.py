"""What is compared of two records: all but the times in them and what is signed anew."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from authbus.envelope import SEALED_TYPE, read_headers
from authbus.sealing import ReplyKey

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
# Of an export: what had not been sent yet when somebody asked for it.
_CHANCE = "mails"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(frozen=True, slots=True)
class Told:
    """A record without its place."""

    key: str | None
    headers: dict[str, str]
    data: Any


def told(
    key: str | None,
    headers: Sequence[tuple[str, bytes | None]],
    value: bytes | None,
    opens: ReplyKey,
) -> Told:
    """What a record says; it is opened where it is sealed."""
    named = read_headers(headers)
    if value is not None and named.get("content-type") == SEALED_TYPE:
        value = opens.open(value)
    data = None if value is None else json.loads(value)
    return Told(key, {name: str(_plain(each)) for name, each in named.items()}, _plain(data))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items() if name != _CHANCE}
        case list():
            return [_plain(each) for each in value]
        case str() if _TIME.fullmatch(value):
            return "a time"
        case str() if _TOKEN.fullmatch(value):
            return "a token"
        case _:
            return value


def differences(then: Iterable[Told], now: Iterable[Told]) -> list[str]:
    """Where records are not the same, each with its kind; a later version may tell more."""
    found: list[str] = []
    for one, other in zip_longest(then, now):
        kind = (one or other).headers.get("ce_type")
        before, after = (None if each is None else asdict(each) for each in (one, other))
        found += [f"{kind}{line}" for line in _unlike(before, after)]
    return found


def _unlike(then: Any, now: Any, path: str = "") -> Iterator[str]:
    match then, now:
        case dict(), dict():
            for name in then:
                yield from _unlike(then[name], now.get(name), f"{path}.{name}")
        case list(), list() if len(then) == len(now):
            for number, (one, other) in enumerate(zip(then, now, strict=True)):
                yield from _unlike(one, other, f"{path}[{number}]")
        case _ if then != now:
            yield f"{path}: {then!r} is now {now!r}"
        case _:
            pass
