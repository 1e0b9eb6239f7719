"""`python -m authbus_service.embedded`: prepare the cache, run the stack, renew the jar lock."""

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path

from authbus_service.embedded import EmbeddedError, EmbeddedStack, jar_lock, warm


def main() -> int:
    """Do what the command line asks; return the exit status."""
    options = _parser().parse_args()
    try:
        match options.what:
            case "warm":
                warm(_report)
                _report("Ready.")
            case "lock":
                _report(f"{jar_lock.renew()} jars are locked.")
            case _:
                warm(_report)  # before the loop takes Ctrl-C, so that it ends a download
                return asyncio.run(_run(options.data))
    except EmbeddedError as error:
        _report(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _run(data: Path | None) -> int:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with EmbeddedStack(data, report=_report) as stack:
        # As PostgreSQL's own tools take it.
        url = stack.addresses.database_url.replace("+asyncpg", "")
        sys.stdout.write(json.dumps(asdict(replace(stack.addresses, database_url=url))) + "\n")
        sys.stdout.flush()
        asked, died = asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(stack.died())
        await asyncio.wait((asked, died), return_when=asyncio.FIRST_COMPLETED)
        for waiting in (asked, died):
            waiting.cancel()
        if died.done() and not died.cancelled():
            _report(died.result())
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m authbus_service.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("warm", help="fetch and prepare everything that a start needs")
    run = commands.add_parser("run", help="run until SIGTERM or Ctrl-C, print the addresses")
    run.add_argument("--data", type=Path, help="a folder to keep; without it nothing is kept")
    commands.add_parser("lock", help="resolve the jars again and write the lock")
    return parser


def _report(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
