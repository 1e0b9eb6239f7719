"""How long an answer takes tells nobody why it was refused."""

import time

import pytest

from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.passwords import Hasher

RIGHT, WRONG = "correct horse battery", "correct horse batterz"


@pytest.mark.gate
def test_unknown_wrong_empty_and_too_long_take_the_same_time_at_full_cost() -> None:
    hasher = Hasher(Cost(19456, 2))
    own = hasher.hash(RIGHT)
    classes = {
        "unknown": (None, RIGHT),
        "wrong": (own, WRONG),
        "empty": (own, ""),
        "long": (own, "x" * 4000),
    }
    taken: dict[str, list[float]] = {name: [] for name in classes}

    for _ in range(150):
        for name, (phc, password) in classes.items():
            before = time.thread_time()
            hasher.verify(phc, password)
            taken[name].append(time.thread_time() - before)

    # Not the median: what runs beside the test makes a hash slower and never faster.
    quick = {name: sorted(times)[15] for name, times in taken.items()}
    assert max(quick.values()) - min(quick.values()) < max(0.001, 0.02 * quick["wrong"])
