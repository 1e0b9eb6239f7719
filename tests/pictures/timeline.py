"""A run of `make chaos`: log-ins while services, the broker and PostgreSQL are killed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.run.crashes import OF_THE_RELAY
from tests.pictures.svg import INK, LINE, PALE, Card

Json = Mapping[str, Any]

_WIDTH, _LEFT, _RIGHT = 940, 74, 24
_RATE_TOP, _TOOK_TOP, _HIGH = 78, 226, 108
_MARKS_TOP, _MARK = 372, 21
_BIN = 5.0
_QUICKEST, _SLOWEST = 0.01, 30.0
_BAR, _DOT, _OVER = "#3d8f9b", "#b4632a", "#c2452d"
_RELAY, _SERVICE, _BROKER, _DATABASE, _OTHER = (
    "relay killed",
    "service killed",
    "broker killed",
    "PostgreSQL killed",
    "other faults",
)
_COLOURS = {
    _RELAY: "#c2452d",
    _SERVICE: "#b4632a",
    _BROKER: "#7a5ea8",
    _DATABASE: "#31648c",
    _OTHER: "#9aa5b1",
}
_NAMED = {"kill the broker": _BROKER, "kill PostgreSQL": _DATABASE}


@dataclass(frozen=True, slots=True)
class Bin:
    """Some seconds of the run: how many log-ins were answered, and the p99 of their times."""

    at: float
    count: int
    p99: float


def of_report(told: Json) -> dict[str, Any]:
    """What the picture needs of a report."""
    names = ("verdict", "seconds", "again", "violations", "unanswered after the heal")
    return {
        **{name: told[name] for name in names},
        "commands": told["happened"]["commands"],
        "faults": told["faults"],
        "log-ins": told["log-ins"],
    }


def harmed(fault: str) -> str:
    """Whom a fault of the run's menu harmed."""
    if fault in _NAMED:
        return _NAMED[fault]
    if not fault.startswith("kill"):
        return _OTHER
    return _RELAY if fault in OF_THE_RELAY else _SERVICE


def bins(told: Json) -> list[Bin]:
    """The whole run in equal parts."""
    found: list[Bin] = []
    for number in range(math.ceil(told["seconds"] / _BIN)):
        at = number * _BIN
        took = sorted(each["took"] for each in told["log-ins"] if at <= each["at"] < at + _BIN)
        slowest = took[math.ceil(0.99 * len(took)) - 1] if took else 0.0
        found.append(Bin(at, len(took), slowest))
    return found


def drawn(told: Json) -> str:
    """The picture of one run."""
    height = _MARKS_TOP + _MARK * len(_rows(told)) + 84
    card = Card(_WIDTH, height, "Log-ins a second and their p99 while parts are killed")
    wrong, lost = len(told["violations"]), len(told["unanswered after the heal"])
    killed = sum(harmed(each["name"]) != _OTHER for each in told["faults"])
    others = len(told["faults"]) - killed
    beside = f", {others} other faults" if others else ""
    head = f"{killed} kills{beside} in {told['seconds']:.0f} s"
    card.text(24, 36, head, font_size=17, font_weight="600")
    verdict = (
        f"{told['commands']:,} commands judged: {wrong} lost or doubled, {lost} never answered"
    )
    card.text(
        _WIDTH - _RIGHT, 36, verdict, text_anchor="end", font_size=15, fill=_COLOURS[_DATABASE]
    )
    parts = bins(told)
    _shade(card, told)
    _rate(card, parts, told["seconds"])
    _times(card, told, parts)
    _marks(card, told)
    return str(card)


def _rows(told: Json) -> dict[str, list[Json]]:
    """The faults, by whom they harmed."""
    found = {
        name: [each for each in told["faults"] if harmed(each["name"]) == name] for name in _COLOURS
    }
    return {name: faults for name, faults in found.items() if faults}


def _x(at: float, seconds: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(at, seconds) / seconds


def _shade(card: Card, told: Json) -> None:
    """While the broker or PostgreSQL is killed."""
    for each in told["faults"]:
        of = harmed(each["name"])
        if of in {_BROKER, _DATABASE}:
            x = _x(each["at"], told["seconds"])
            wide = _x(each["healed"], told["seconds"]) - x
            card.box(
                x, _RATE_TOP, wide, _MARKS_TOP - _RATE_TOP - 22, fill=_COLOURS[of], opacity=0.13
            )


def _rate(card: Card, parts: list[Bin], seconds: float) -> None:
    most = math.ceil(max(each.count for each in parts) / _BIN)
    card.text(_LEFT, _RATE_TOP - 12, "log-ins a second", fill=PALE, font_size=12)
    for value in (0, most):
        y = _RATE_TOP + _HIGH * (1 - value / most)
        card.line(_LEFT, y, _WIDTH - _RIGHT, y)
        card.text(_LEFT - 8, y + 4, f"{value}", fill=PALE, font_size=12, text_anchor="end")
    for each in parts:
        x, high = _x(each.at, seconds), _HIGH * each.count / _BIN / most
        wide = _x(each.at + _BIN, seconds) - x - 2
        card.box(x + 1, _RATE_TOP + _HIGH - high, wide, high, fill=_BAR, rx=2)


def _times(card: Card, told: Json, parts: list[Bin]) -> None:
    """Each log-in a dot, and a step at the p99 of each bin; the scale is logarithmic."""

    def y(took: float) -> float:
        share = math.log(max(took, _QUICKEST) / _QUICKEST) / math.log(_SLOWEST / _QUICKEST)
        return _TOOK_TOP + _HIGH * (1 - min(share, 1.0))

    words = "time of each log-in, and its p99 in every 5 s"
    card.text(_LEFT, _TOOK_TOP - 12, words, fill=PALE, font_size=12)
    for value, name in ((0.01, "10 ms"), (0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s")):
        card.line(_LEFT, y(value), _WIDTH - _RIGHT, y(value))
        card.text(_LEFT - 8, y(value) + 4, name, fill=PALE, font_size=12, text_anchor="end")
    for each in told["log-ins"]:
        if each["at"] <= told["seconds"]:
            x = _x(each["at"], told["seconds"])
            card.tag("circle", cx=x, cy=y(each["took"]), r=1.7, fill=_DOT, opacity=0.5)
    for part in (each for each in parts if each.count):
        ends = [(_x(at, told["seconds"]), y(part.p99)) for at in (part.at, part.at + _BIN)]
        card.path(ends, stroke=_OVER, stroke_width=2.2)


def _marks(card: Card, told: Json) -> None:
    """Who was harmed, from the blow to the heal."""
    rows = _rows(told)
    foot = _MARKS_TOP + _MARK * len(rows)
    x = float(_LEFT)
    for number, (name, faults) in enumerate(rows.items()):
        y, colour = _MARKS_TOP + _MARK * number, _COLOURS[name]
        card.line(_LEFT, y, _WIDTH - _RIGHT, y)
        for each in faults:
            begin, end = (_x(each[when], told["seconds"]) for when in ("at", "healed"))
            begin = min(begin, _WIDTH - _RIGHT - 3.0)
            card.box(begin, y - 6, max(end - begin, 3.0), 12, rx=2, fill=colour, opacity=0.85)
        words = f"{name}: {len(faults)}"
        card.box(x, foot + 34, 12, 12, rx=2, fill=colour)
        card.text(x + 18, foot + 44, words, fill=INK, font_size=12.5)
        x += 34 + 8.2 * len(words)
    for second in range(0, int(told["seconds"]) + 1, 20):
        at, look = _x(second, told["seconds"]), {"fill": PALE, "font_size": 12}
        card.text(at, foot + 8, f"{second} s", **look, text_anchor="middle")
    words = f"Coloured behind: the broker or PostgreSQL is away. Again: {told['again']}"
    card.text(_LEFT, foot + 68, words, fill=PALE, font_size=12)
    card.line(_LEFT, _RATE_TOP + _HIGH, _WIDTH - _RIGHT, _RATE_TOP + _HIGH, stroke=LINE)
