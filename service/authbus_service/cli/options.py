"""Options that replays share: how they are read, and what is said of a replay's id."""

import math
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import typer

from authbus_service.cli.output import report
from authbus_service.core.clock import LONG_AGO
from authbus_service.core.ids import id_time
from authbus_service.replay.begun import SKEW

T = TypeVar("T")


def announce(replay_id: UUID, *, dry_run: bool) -> None:
    """Say by which id it goes on, should it end early."""
    if not dry_run:
        report(f"replay {replay_id} (should this end early: --resume {replay_id})")


def a_second(text: str) -> float:
    """`500/s` or `500`. Raises ValueError."""
    rate = float(text.removesuffix("/s"))
    if not 0 < rate < math.inf:
        raise ValueError(f"{text!r} is not a rate, like 500/s; without one it goes at full speed")
    return rate


def replay_id(text: str) -> UUID:
    """Raises ValueError for an id that is none of a replay."""
    found = UUID(text)
    began = id_time(found)
    # No replay began so early, and Kafka knows no time before 1970.
    if began is None or began - SKEW < LONG_AGO:
        raise ValueError(f"{text!r} is not an id of a replay: each one says its own as it begins")
    return found


def read(option: str, given: object, how: Callable[..., T]) -> T:
    """An option's value; exit 2 where `how` raises ValueError."""
    try:
        return how(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
