"""The rules of a key's life: announced, in service, retired, destroyed.

A new key is announced before it serves, so that every process and every client knows it by then.
One that has retired is still needed: for seals that lie on the topics, for tokens that live.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authbus_service.core.security.keyring import Key, Use, new_key
from authbus_service.core.security.masters import Masters


class RotationError(RuntimeError):
    """What is asked of the keys cannot be. The text says why, and from when on where it can."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The keys that are new, and those that retire when the new ones begin to serve."""

    new: list[Key]
    retired: list[Key]


def rotated(
    keys: Iterable[Key], uses: Collection[Use], at: datetime, lead: timedelta, masters: Masters
) -> Rotation:
    """Replace the keys of these uses, `lead` after `at`.

    Raises RotationError while one of them is ahead already, and when there is none to replace.
    """
    known, begins = list(keys), at + lead
    retired: list[Key] = []
    for use in uses:
        of_use = [key for key in known if key.use == use]
        for key in of_use:
            if key.state(at) == "next":
                raise RotationError(
                    f"the {use} key {key.kid} is new and serves from {_text(key.not_before)}. "
                    "Rotate again after that"
                )
        serving = [key for key in of_use if key.state(at) == "serves"]
        if not serving:
            raise RotationError(f"there is no {use} key yet. `authbus serve` makes the first one")
        retired += [replace(key, retired_at=begins) for key in serving]
    return Rotation([new_key(use, begins, masters) for use in uses], retired)


def require_needless(key: Key, at: datetime) -> None:
    """Raise RotationError when something may need this key."""
    until = key.needed_until
    if until is None:
        raise RotationError(
            f"the {key.use} key {key.kid} has not been replaced. First: authbus keys rotate"
        )
    if at <= until:
        what = "tokens that it signed" if key.use == "sig" else "commands that are sealed to it"
        raise RotationError(
            f"the {key.use} key {key.kid} is needed for {what}. It can go from {_text(until)} on"
        )


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
