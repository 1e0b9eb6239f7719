"""`authbus users import`: a file's lines as commands, many under way, each with its own answer."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from authbus.admin_commands import ImportUser
from authbus.errors import AuthRejected, AuthTimeout
from authbus.replies import Code
from authbus.strict_json import JsonError, read_json
from authbus_service.cli.operator import Operator, as_operator
from authbus_service.cli.output import report, show
from authbus_service.startup.errors import StartupError

_UNDER_WAY = 64
_LONGEST_LINE = 32 * 1024
_DEPTH = 8
_FIELDS = ImportUser.model_fields.keys() - {"access_token"}


def import_users(file: Path, *, client: str) -> None:
    """Send each line; print how many were imported, there already, and refused with their lines."""
    lines = _lines(file)

    async def work(operator: Operator) -> Counter[str]:
        counts = Counter[str]()

        async def take() -> None:
            for number, line in lines:
                counts[await _one(operator, number, line)] += 1

        await asyncio.gather(*(take() for _ in range(_UNDER_WAY)))
        return counts

    counts = as_operator(client, work)
    show({name: counts[name] for name in ("imported", "there_already", "refused", "unanswered")})
    if counts["refused"] or counts["unanswered"]:
        raise StartupError("not every line was imported. Mend what was refused and run it again")


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as opened:
        for number, line in enumerate(iter(lambda: opened.readline(_LONGEST_LINE), b""), 1):
            if line.strip():
                yield number, line


async def _one(operator: Operator, number: int, line: bytes) -> str:
    """What became of a line. What is reported names no address and no hash."""
    try:
        user: Any = read_json(line, max_bytes=_LONGEST_LINE, max_depth=_DEPTH)
    except JsonError:
        user = None
    if not isinstance(user, dict) or not user.keys() <= _FIELDS or "email" not in user:
        report(f"line {number}: not an object of these fields: {', '.join(sorted(_FIELDS))}")
        return "refused"
    try:
        await operator.ask(operator.admin.import_user, **user)
    except AuthRejected as refused:
        if refused.code == Code.EMAIL_TAKEN:
            return "there_already"
        report(f"line {number}: {refused}")
        return "refused"
    except AuthTimeout:
        report(f"line {number}: no answer")
        return "unanswered"
    return "imported"
