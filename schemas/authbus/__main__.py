"""python -m authbus: the contract's own commands, where the service is not installed."""

import argparse
import sys
from pathlib import Path

from authbus import specification


def main() -> int:
    parser = argparse.ArgumentParser(prog="authbus", description=__doc__)
    commands = parser.add_subparsers(required=True)
    spec = commands.add_parser("spec", help="write the spec files anew, or compare them")
    spec.add_argument("--check", action="store_true", help="write nothing; 1 when a file is stale")
    spec.add_argument("--against", type=Path, metavar="FOLDER", help="1 when this spec is broken")
    spec.add_argument("--folder", type=Path, default=specification.FOLDER)
    asked = parser.parse_args()
    if asked.against is not None:
        found = specification.breaks(asked.against, asked.folder)
    elif asked.check:
        found = specification.stale(asked.folder)
    else:
        sys.stdout.writelines(f"{path}\n" for path in specification.write(asked.folder))
        return 0
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
