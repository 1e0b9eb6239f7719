"""`make chaos-release`: an hour of harm from seven seeds, and one page of it all.

The page and its figures are kept in `tests/chaos/release`, with the seed of each run.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from tests.chaos.run.menu import LANES, TERMINATIONS, Profile
from tests.chaos.run.page import counts_line
from tests.chaos.run.runs import ANSWERED_SECONDS

KEPT = Path("tests/chaos/release")
_REPORTS = Path("build/chaos")
RUNS: tuple[tuple[Profile, int, int], ...] = (
    *(("small", seed, 540) for seed in range(201, 204)),
    *(("full", seed, 360) for seed in range(301, 304)),
    ("soak", 401, 1200),
)
# Of all runs together. Of the classes about half of what they do on two cores, and no less than
# their own minima come to.
LEAST = {
    "minutes": 60,
    "commands": 100_000,
    "duplicate sends": 5_000,
    "faults": 2_000,
    "kills and stops": 400,
    "kills at a point": 140,
    "on the wire in a transaction": 400,
    "unknown commits": 120,
    "terminations": 90,
    "jumps of a clock": 150,
    "partitions of the network": 36,
    "a member joins and leaves": 70,
}
LEAST_OF_EACH = 10
_P99_SECONDS = 10.0


def main() -> int:
    """Run all, or with `--sum` only sum up what they left; 0 when it counts and all is well."""
    asked = argparse.ArgumentParser(prog="make chaos-release")
    asked.add_argument("--sum", action="store_true")
    if not asked.parse_args().sum:
        for profile, seed, seconds in RUNS:
            arguments = ("--profile", profile, "--seed", str(seed), "--seconds", str(seconds))
            subprocess.run([sys.executable, "-m", "tests.chaos.run", *arguments], check=False)
    told = summed([_read(seed) for _, seed, _ in RUNS])
    KEPT.mkdir(exist_ok=True)
    (KEPT / "report.json").write_text(f"{json.dumps(told, indent=1)}\n", encoding="utf-8")
    (KEPT / "report.md").write_text(page(told), encoding="utf-8")
    print(page(told))
    return int(told["verdict"] != "green")


def _read(seed: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((_REPORTS / f"seed-{seed}/report.json").read_bytes())
    return told


def least(told: Collection[str]) -> dict[str, int]:
    """The fewest of each that make them count; each fault that a run tells of is a class too."""
    faults = (name for lane in LANES for name in lane.names if name in told)
    return dict.fromkeys(faults, LEAST_OF_EACH) | LEAST


def summed(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All runs as one: broken when one is, void when one is or when too little happened."""
    happened, outcomes = Counter[str](), Counter[str]()
    for each in reports:
        happened.update(each["happened"])
        outcomes.update(each["outcomes"])
    waits = sorted(wait for each in reports for wait in each["seconds to each pending answer"])
    happened["minutes"] = round(sum(each["seconds"] for each in reports) / 60)
    happened["terminations"] = sum(happened[each] for each in TERMINATIONS)
    fewest = least(happened)
    wrong = [text for each in reports for text in each["violations"]]
    never = sum(len(each["unanswered after the heal"]) for each in reports)
    too_few = [
        f"{name}: {happened[name]} of {n}" for name, n in fewest.items() if happened[name] < n
    ]
    too_few += [f"{each['again']}: {text}" for each in reports for text in each["too few"]]
    p99 = waits[ceil(0.99 * len(waits)) - 1] if waits else 0.0
    broken = any(each["verdict"] == "broken" for each in reports)
    is_broken = bool(broken or wrong or never or outcomes["unknown"] or p99 > _P99_SECONDS)
    return {
        "verdict": "broken" if is_broken else "void" if too_few else "green",
        "runs": [{name: each[name] for name in ("again", "verdict")} for each in reports],
        **{name: happened[name] for name in ("minutes", "commands", "faults")},
        "too few": too_few,
        "violations": wrong,
        "outcomes": dict(outcomes),
        "happened": dict(happened),
        "least": fewest,
        "pending at the heal": len(waits) + never,
        "never answered": never,
        "seconds to a pending answer": {"p99": p99, "longest": max(waits, default=0.0)},
    }


def page(told: Mapping[str, Any]) -> str:
    """The same for a person, in Markdown."""
    waits, there = told["seconds to a pending answer"], told["happened"]
    sums = (
        f"{told['minutes']} minutes, {told['commands']:,} commands, {told['faults']:,} faults; "
        f"{len(told['violations'])} violations. Outcomes: {counts_line(told['outcomes'])}."
    )
    pending = (
        f"{told['pending at the heal']} commands were pending when all had healed: answered within "
        f"{waits['p99']} s (p99), {waits['longest']} s (the last; at most {ANSWERED_SECONDS:.0f} s)"
        f", {told['never answered']} never."
    )
    lines = [
        f"# Harm before a release: {told['verdict']}",
        sums,
        pending,
        "| run | verdict |\n| --- | --- |",
        *(f"| `{each['again']}` | {each['verdict']} |" for each in told["runs"]),
        "| what | happened | least |\n| --- | ---: | ---: |",
        *(f"| {name} | {n} | {told['least'].get(name, '')} |" for name, n in there.items()),
        *(f"- too few: {each}" for each in told["too few"]),
        *(f"- {each}" for each in told["violations"]),
    ]
    return "\n\n".join(lines).replace("|\n\n|", "|\n|") + "\n"


if __name__ == "__main__":
    sys.exit(main())
