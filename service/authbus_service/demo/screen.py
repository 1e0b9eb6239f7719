"""What the demo shows: a line for a person in a terminal, a JSON object a line in a pipe."""

import sys
from uuid import UUID

from pydantic_core import to_json
from rich.console import Console
from rich.markup import escape

_COLOURS = {
    "producer": "cyan",
    "command": "yellow",
    "reply": "magenta",
    "downstream": "green",
    "demo": "bold",
}
_FOR_MACHINES = {"actor", "causation_id"}
_WHAT = 24
_SHOWN_OF_AN_ID = 8
_WIDTH = max(map(len, _COLOURS))


class Screen:
    """Standard output of the demo."""

    def __init__(self, console: Console | None = None) -> None:
        """Look where the output goes, unless it is said."""
        is_seen = console is None and sys.stdout.isatty()
        self._console = Console(highlight=False) if is_seen else console

    def tell(self, who: str, what: str, **details: object) -> None:
        """One thing that happened: who saw it, in words, and the details."""
        if self._console is None:
            line = to_json({"who": who, "what": what, **details}, fallback=str).decode()
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            return
        name = f"[{_COLOURS.get(who, 'bold')}]{who:>{_WIDTH}}[/]"
        rest = "  ".join(
            f"[dim]{key}[/] {escape(_plain(value))}"
            for key, value in details.items()
            if key not in _FOR_MACHINES
        )
        self._console.print(f"{name}  {escape(what):<{_WHAT}}  {rest}", soft_wrap=True)

    def words(self, *lines: str) -> None:
        """Words around the show, for a person only."""
        if self._console is not None:
            for line in lines:
                self._console.print(line, soft_wrap=True)


def _plain(value: object) -> str:
    match value:
        case UUID():
            return f"...{str(value)[-_SHOWN_OF_AN_ID:]}"
        case list() | tuple():
            return ", ".join(map(str, value)) or "nowhere"
        case _:
            return str(value)
