"""The way of a log-in: who tells whom, and how many milliseconds each step took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.pictures.svg import INK, LINE, PALE, Card

_WIDTH = 940
_TOP, _ROW = 84, 46
_MILLISECONDS = 902
_LINES = {
    "browser": 74,
    "back end": 222,
    "module": 354,
    "Kafka": 478,
    "service": 618,
    "PostgreSQL": 788,
}
_COLOURS = {
    "browser": "#3b6fb6",
    "back end": "#1d7f8c",
    "Kafka": "#7a5ea8",
    "service": "#b4632a",
    "PostgreSQL": "#31648c",
    "module": "#3f7f3a",
}


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one to another, or work of one alone; `step` is the measured one."""

    step: str
    come_from: str
    to: str
    words: str
    by: str = ""


ARROWS = (
    Arrow("form", "browser", "back end", "form"),
    Arrow("command", "back end", "service", "LogIn, sealed", by="Kafka"),
    Arrow("open", "service", "service", "known? opens the seal"),
    Arrow("look up", "service", "PostgreSQL", "reads, counts the guess"),
    Arrow("hash", "service", "service", "verifies argon2id"),
    Arrow("commit", "service", "PostgreSQL", "one transaction"),
    Arrow("reply", "service", "back end", "LoggedIn, sealed for the one who asked", by="Kafka"),
    Arrow("cookie", "back end", "browser", "303, cookie"),
    Arrow("event", "service", "module", "SessionStarted", by="Kafka"),
)
_IN_THE_WAY = [each.step for each in ARROWS if each.step != "event"]


def drawn(measured: Mapping[str, Any]) -> str:
    """The picture of what `measuring` found."""
    took: Mapping[str, float] = measured["median ms"]
    bottom = _TOP + _ROW * len(ARROWS)
    card = Card(
        _WIDTH,
        bottom + 122,
        "A log-in from a browser's form to its cookie, with the milliseconds of each step",
    )
    for name, x in _LINES.items():
        card.line(x, 58, x, bottom + 8, stroke=LINE, stroke_width=1.4)
        card.box(x - 52, 22, 104, 30, rx=6, fill=_COLOURS[name])
        card.text(x, 42, name, fill="#ffffff", text_anchor="middle", font_weight="600")
    card.text(_MILLISECONDS + 18, 42, "ms", fill=PALE, text_anchor="end")
    for number, each in enumerate(ARROWS):
        _step(card, each, _TOP + _ROW * number, took[each.step])
    _bar(card, took, bottom + 40, measured["log-ins"])
    return str(card)


def _step(card: Card, arrow: Arrow, y: float, took: float) -> None:
    x1, x2, colour = _LINES[arrow.come_from], _LINES[arrow.to], _COLOURS[arrow.come_from]
    look: dict[str, Any] = {"fill": INK, "stroke": "#ffffff", "stroke_width": 4}
    look |= {"paint_order": "stroke", "text_anchor": "middle", "font_size": 12.5}
    if x1 == x2:
        card.box(x1 - 5, y + 1, 10, 24, rx=3, fill=colour)
        card.text(x1 + 14, y + 17, arrow.words, **look | {"text_anchor": "start"})
    else:
        card.arrow(x1, x2, y + 14, colour)
        card.text((x1 + x2) / 2, y + 5, arrow.words, **look)
        if arrow.by:
            dot = {"fill": "#ffffff", "stroke": colour, "stroke_width": 1.8}
            card.tag("circle", cx=_LINES[arrow.by], cy=y + 14, r=4.5, **dot)
    is_beside = arrow.step not in _IN_THE_WAY
    words = f"+{took:.1f}" if is_beside else f"{took:.1f}"
    weight = "400" if is_beside else "600"
    look = {"text_anchor": "end", "font_weight": weight}
    card.text(_MILLISECONDS + 18, y + 16, words, **look)


def _bar(card: Card, took: Mapping[str, float], y: float, count: int) -> None:
    """Where the time goes, to scale."""
    left, width = 22, _WIDTH - 44
    whole = sum(took[each] for each in _IN_THE_WAY)
    x = float(left)
    for arrow in (each for each in ARROWS if each.step in _IN_THE_WAY):
        part = width * took[arrow.step] / whole
        card.box(x, y, max(part - 1.5, 0.5), 24, rx=3, fill=_COLOURS[arrow.come_from])
        if part > 7.5 * len(arrow.step) + 10:
            look = {"fill": "#ffffff", "text_anchor": "middle", "font_size": 11.5}
            card.text(x + part / 2, y + 16, arrow.step, **look)
        x += part
    whole_way = f"From the form to the cookie {took['whole']:.1f} ms, to scale:"
    words = (
        f"{whole_way} medians of {count} log-ins, one at a time, all parts on the same two cores.",
        "The transaction holds answer, session and event; the module hears so long after it.",
    )
    for number, line in enumerate(words):
        card.text(left, y + 46 + 17 * number, line, fill=PALE, font_size=12)
