"""The terminal in which `make demo` ran: its own lines, as it colours them."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from rich.console import Console

from authbus_service.demo.screen import Screen
from tests.pictures.svg import MONO, Card

COLUMNS = 112
_SIZE, _ADVANCE, _HEIGHT = 12.5, 7.53, 18.5
_LEFT, _TOP = 22, 58
_PAPER, _EDGE, _TEXT = "#10151c", "#313b47", "#d7dee6"
_COLOURS = {"36": "#56c7d6", "33": "#e0b34c", "35": "#d58be0", "32": "#7fcf7a"}
_DIM = "#8592a0"
_BOLD, _NAME = "1", "2"
_DETAILS = 38  # where they begin
_CODE = re.compile(r"\x1b\[([\d;]*)m")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Piece = tuple[str, str]
"""What is written, and how: the codes of a terminal."""


def drawn(records: str) -> str:
    """The picture of what the demo told in JSON lines."""
    lines = [each for line in shown(records) for each in _folded(line)]
    width = _LEFT * 2 + COLUMNS * _ADVANCE
    card = Card(
        width,
        _TOP + _HEIGHT * (len(lines) + 1.4),
        "A terminal: make demo registers, logs in and logs out, and shows each record on Kafka",
        background=_PAPER,
        border=_EDGE,
    )
    for number, colour in enumerate(("#e0645c", "#e0b34c", "#7fcf7a")):
        card.tag("circle", cx=_LEFT + 6 + number * 20, cy=22, r=6, fill=colour)
    mono: dict[str, Any] = {"font_family": MONO, "font_size": _SIZE, "xml:space": "preserve"}
    card.text(_LEFT, _TOP - 4, "$ make demo", **mono | {"fill": _TEXT, "font_weight": "bold"})
    for number, line in enumerate(lines):
        y, column = _TOP + _HEIGHT * (number + 1.0), 0
        for text, code in line:
            x = _LEFT + column * _ADVANCE
            look = {**mono, "textLength": len(text) * _ADVANCE, **_look(code)}
            card.text(x, y, text, **look)
            column += len(text)
    return str(card)


def shown(records: str) -> Iterator[list[Piece]]:
    """Each line as the demo writes it into a terminal."""
    for record in records.splitlines():
        written = io.StringIO()
        console = Console(
            file=written, force_terminal=True, color_system="standard", highlight=False, width=1000
        )
        told = {name: _as_told(value) for name, value in json.loads(record).items()}
        Screen(console).tell(told.pop("who"), told.pop("what"), **told)
        yield _pieces(written.getvalue().rstrip("\n"))


def _as_told(value: Any) -> Any:
    return UUID(value) if isinstance(value, str) and _ID.fullmatch(value) else value


def _pieces(line: str) -> list[Piece]:
    codes = ["0", *(mark[1] for mark in _CODE.finditer(line))]
    texts = _CODE.split(line)[::2]
    return [(text, code) for text, code in zip(texts, codes, strict=True) if text]


def _folded(line: list[Piece]) -> Iterator[list[Piece]]:
    """What does not fit goes on below the details; a detail stays with its name."""
    row: list[Piece] = []
    for number, piece in enumerate(line):
        with_value = line[number : number + 2] if piece[1] == _NAME else [piece]
        if _long(row) + _long(with_value) > COLUMNS:
            yield row
            row = [(" " * _DETAILS, "0")]
        row.append(piece)
    yield row


def _long(row: list[Piece]) -> int:
    return len("".join(text for text, _ in row).rstrip())


def _look(code: str) -> dict[str, str]:
    if code == _BOLD:
        return {"fill": _TEXT, "font_weight": "bold"}
    return {"fill": _DIM if code == _NAME else _COLOURS.get(code, _TEXT)}
