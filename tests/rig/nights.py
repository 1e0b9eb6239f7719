"""Each night tries what no night before it did, and can be had again."""

import os
from datetime import UTC, datetime


def seed_of_the_night() -> int:
    """SEED where it is set, else the date: 20261231."""
    return int(os.environ.get("SEED") or f"{datetime.now(UTC):%Y%m%d}")
