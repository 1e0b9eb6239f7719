"""Step-up: what a session has to show before what could take an account away."""

from collections.abc import Iterable
from datetime import datetime, timedelta

# What `amr` says of a code: a second factor beside whatever came before it.
BY_CODE = ("otp", "mfa")


def with_code(amr: Iterable[str]) -> tuple[str, ...]:
    """What `amr` is once a code was shown, too."""
    return tuple(dict.fromkeys((*amr, *BY_CODE)))


def was_shown(
    amr: Iterable[str], authenticated_at: datetime, within: timedelta, at: datetime
) -> bool:
    """Whether a second factor was shown within that time."""
    return BY_CODE[-1] in amr and at < authenticated_at + within
