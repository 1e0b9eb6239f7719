"""Which pictures there are, and what each is drawn from."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.pictures import terminal, timeline, way

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "pictures"


def _read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


PICTURES: Mapping[str, Callable[[], str]] = {
    "demo.svg": lambda: terminal.drawn((FOLDER / "demo.jsonl").read_text(encoding="utf-8")),
    "way.svg": lambda: way.drawn(_read("way.json")),
    "chaos.svg": lambda: timeline.drawn(_read("chaos.json")),
}
