"""`make drill`: lose the database and bring it back, again and again, and count differences."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from tests.drill.drill import Accident, drill

_SEEDS = 20
_SHOWN = 20


def main() -> int:
    """Run the drills that were asked for; 1 when one found a difference."""
    asked = argparse.ArgumentParser(prog="make drill")
    asked.add_argument("--seed", type=int, help="this one alone; without it 20 seeds")
    asked.add_argument("--users", type=int, default=500)
    asked.add_argument("--accident", choices=get_args(Accident), help="without it both")
    given = asked.parse_args()
    seeds = range(_SEEDS) if given.seed is None else [given.seed]
    accidents = [given.accident] if given.accident else list(get_args(Accident))
    found = [_one(each, seed, given.users) for seed in seeds for each in accidents]
    print(f"{len(found)} drills, {sum(found)} differences")
    return 1 if sum(found) else 0


def _one(accident: Accident, seed: int, users: int) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        Path(folder).chmod(0o711)
        found = asyncio.run(drill(accident, seed=seed, users=users, folder=Path(folder)))
    report = found.report
    print(
        f"{accident:8} seed {seed:3}: {found.users} users, {found.events} events, "
        f"{sum(report['events_applied'].values())} of them applied again, "
        f"{report['handled_anew']} commands handled anew, "
        f"{len(found.differences)} differences, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for each in found.differences[:_SHOWN]:
        print(f"    {each}")
    return len(found.differences)


if __name__ == "__main__":
    sys.exit(main())
