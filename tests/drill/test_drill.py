"""After the loss of a database nobody finds a difference. `make drill` does it at full size."""

from pathlib import Path

import pytest

from tests.drill.drill import Accident, drill

USERS = 20


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "accident",
    [
        pytest.param("restore", marks=pytest.mark.gate),
        pytest.param("failover", marks=pytest.mark.nightly),
    ],
)
async def test_nobody_finds_a_difference_when_a_lost_database_was_recovered(
    accident: Accident, tmp_path: Path
) -> None:
    found = await drill(accident, seed=1, users=USERS, folder=tmp_path)

    assert found.differences == []
    # They live for a time, so that a slow machine loses fewer of their events.
    assert sum(found.report["events_applied"].values()) > USERS
    assert found.report["keys_found"] == (2 if accident == "restore" else 0)
