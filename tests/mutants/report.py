"""What `make mutants` says in the end: which test found each bug, and in what time."""

import statistics
from collections.abc import Sequence
from typing import Any

from tests.mutants.hunting import Hunt

_MOST_MEDIAN, _MOST_TOGETHER = 60.0, 40 * 60.0


def line(hunt: Hunt) -> str:
    """One bug, as soon as its tests have run."""
    found = f"found by {hunt.by}" if hunt.by else "NOT FOUND"
    could_not = f" ({len(hunt.errors)} could not run)" if hunt.errors and not hunt.by else ""
    return f"{hunt.seconds:5.0f} s  {hunt.bug.name}: {found}{could_not}"


def report(hunts: Sequence[Hunt], without: float) -> dict[str, Any]:
    """The figures as plain data. `without` is how long all the tests took without a bug."""
    seconds = [each.seconds for each in hunts]
    median, together = statistics.median(seconds), sum(seconds)
    found = sum(each.by is not None for each in hunts)
    is_quick = median < _MOST_MEDIAN and together < _MOST_TOGETHER
    return {
        "verdict": "green" if found == len(hunts) and is_quick else "broken",
        "bugs": len(hunts),
        "found": found,
        "median seconds": round(median, 1),
        "minutes in all": round(together / 60, 1),
        "seconds without a bug": round(without, 1),
        "hunts": [
            {
                "bug": each.bug.name,
                "file": each.bug.path,
                "found by": each.by,
                "seconds": round(each.seconds, 1),
                "could not run": list(each.errors),
            }
            for each in hunts
        ],
    }


def summary(told: dict[str, Any]) -> str:
    """One line."""
    return (
        f"{told['found']} of {told['bugs']} found, median {told['median seconds']:.0f} s,"
        f" {told['minutes in all']} min in all"
    )


def page(told: dict[str, Any]) -> str:
    """The same for a person, in Markdown."""
    rows = [
        ("bug", "file", "found by", "s"),
        ("---", "---", "---", "---:"),
        *(
            (each["bug"], f"`{each['file']}`", _by(each), f"{each['seconds']:.0f}")
            for each in told["hunts"]
        ),
    ]
    without = f"{told['seconds without a bug']:.0f} s"
    lines = [
        f"# Bugs on purpose: {told['verdict']}",
        f"{summary(told)}. Without a bug all these tests passed, in {without}.",
        "\n".join(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n\n".join(lines) + "\n"


def _by(told: dict[str, Any]) -> str:
    return f"`{told['found by'].replace('|', '/')}`" if told["found by"] else "**nobody**"
