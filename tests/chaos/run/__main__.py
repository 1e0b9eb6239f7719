"""`make chaos`: harm a running service from a seed, and judge all that it did and said."""

import argparse
import logging
import signal
import sys
from random import SystemRandom

from tests.chaos.run.menu import PROFILES
from tests.chaos.run.once import judged, judged_again, kept
from tests.chaos.run.page import page
from tests.chaos.run.runs import planned

_EXIT = {"green": 0, "broken": 1, "void": 2}


def main() -> int:
    """Run once; 1 when something is wrong, 2 when too little happened."""
    asked = argparse.ArgumentParser(prog="make chaos")
    asked.add_argument("--seed", type=int, default=SystemRandom().randrange(100_000))
    asked.add_argument("--seconds", type=float, default=120.0)
    asked.add_argument("--profile", choices=PROFILES, default="small")
    asked.add_argument("--judge", action="store_true", help="only judge again what is kept")
    given = asked.parse_args()
    plan = planned(given.profile, given.seed, given.seconds)
    # Whoever ends it so leaves no broker and no network behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A client says of each try that a broker is not there, which is the point.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    told = judged_again(kept(plan)) if given.judge else judged(plan)
    print(page(told) + f"\nIn {kept(plan)}: report.json, report.md and the logs")
    return _EXIT[told["verdict"]]


if __name__ == "__main__":
    sys.exit(main())
