"""python -m authbus: the contract's own commands, where the service is not installed."""

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path

from authbus import specification
from authbus.topics import DEFAULT_NAMESPACE

_SEAL = """\
Reads a command from the standard input: {"type": "LogIn", "data": {...}}, to ask again with the
same "id". Writes its record: topic, key, headers and value, all of it text.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m authbus", description=__doc__)
    commands = parser.add_subparsers(required=True)
    spec = commands.add_parser("spec", help="write the spec files anew, or compare them")
    spec.add_argument("--check", action="store_true", help="write nothing; 1 when a file is stale")
    spec.add_argument("--against", type=Path, metavar="FOLDER", help="1 when this spec is broken")
    spec.add_argument("--folder", type=Path, default=specification.FOLDER)
    spec.set_defaults(does=_spec)
    seal = commands.add_parser(
        "seal", help="seal a command for other programs to send", epilog=_SEAL
    )
    seal.add_argument("--client", required=True, help="the declared client that asks")
    seal.add_argument("--namespace", default=DEFAULT_NAMESPACE)
    seal.add_argument(
        "--keys",
        type=Path,
        required=True,
        help="the last value of each key of state.keys.v1, by line",
    )
    seal.add_argument("--trust", help="the thumbprint that the service prints at its start")
    seal.add_argument("--life", type=float, default=30, help="seconds for which somebody waits")
    seal.set_defaults(does=_seal)
    opened = commands.add_parser("open", help="open a sealed answer from the standard input")
    opened.set_defaults(does=_open)
    for each in (seal, opened):
        each.add_argument("--reply-key", type=Path, required=True, help="a P-256 key in PEM")
    asked = parser.parse_args(_joined(sys.argv[1:]))
    try:
        return asked.does(asked)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("authbus"):
            raise
        return _failed(f"{error.name} is not there: install authbus with its extra `client`")


def _joined(arguments: list[str]) -> list[str]:
    """To argparse a value that begins with a dash is an option: one thumbprint in 64 does."""
    if "--trust" in arguments[:-1]:
        at = arguments.index("--trust")
        arguments[at : at + 2] = [f"--trust={arguments[at + 1]}"]
    return arguments


def _spec(asked: argparse.Namespace) -> int:
    if asked.against is not None:
        found = specification.breaks(asked.against, asked.folder)
    elif asked.check:
        found = specification.stale(asked.folder)
    else:
        sys.stdout.writelines(f"{path}\n" for path in specification.write(asked.folder))
        return 0
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def _seal(asked: argparse.Namespace) -> int:
    # With the extra `client` alone: the spec is made without it.
    from authbus import by_hand  # noqa: PLC0415
    from authbus.client.outgoing import Sender  # noqa: PLC0415

    try:
        keys = by_hand.sealing_key(asked.keys.read_bytes().splitlines(), asked.trust)
        mine, life = by_hand.reply_key(asked.reply_key), timedelta(seconds=asked.life)
        sender = Sender(asked.client, asked.namespace)
        record = by_hand.sealed(sys.stdin.buffer.read(), sender, keys, mine, life)
    except (OSError, by_hand.ByHandError) as wrong:
        return _failed(wrong)
    sys.stdout.write(json.dumps(record) + "\n")
    return 0


def _open(asked: argparse.Namespace) -> int:
    from authbus import by_hand  # noqa: PLC0415
    from authbus.sealing import SealError  # noqa: PLC0415

    try:
        text = by_hand.reply_key(asked.reply_key).open(sys.stdin.buffer.read().strip())
    except (SealError, by_hand.ByHandError) as wrong:
        return _failed(wrong)
    sys.stdout.write(text.decode() + "\n")
    return 0


def _failed(wrong: object) -> int:
    sys.stderr.write(f"authbus: {wrong}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
