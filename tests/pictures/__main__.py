"""`make pictures`: draw the README's pictures from what is stored, or measure and store it anew."""

import argparse
import asyncio
import json
from pathlib import Path

from tests.pictures import measuring
from tests.pictures.pictures import FOLDER, PICTURES
from tests.pictures.timeline import of_report


def main() -> None:
    """Store what is given or measured, then draw all."""
    asked = argparse.ArgumentParser(prog="make pictures")
    asked.add_argument("--demo", type=Path, help="what `authbus demo` wrote into a file")
    asked.add_argument("--chaos", type=Path, help="report.json of `make chaos`")
    asked.add_argument("--measure", action="store_true", help="the way of a log-in")
    given = asked.parse_args()
    if given.demo is not None:
        (FOLDER / "demo.jsonl").write_text(given.demo.read_text("utf-8"), "utf-8")
    if given.chaos is not None:
        _store("chaos.json", of_report(json.loads(given.chaos.read_text("utf-8"))))
    if given.measure:
        _store("way.json", asyncio.run(measuring.measured()))
    for name, drawn in PICTURES.items():
        (FOLDER / name).write_text(drawn(), encoding="utf-8")
        print(FOLDER / name)


def _store(name: str, data: object) -> None:
    (FOLDER / name).write_text(json.dumps(data) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
