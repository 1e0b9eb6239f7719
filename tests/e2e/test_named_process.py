"""A process that was killed comes back under its name, and the other one has not noticed."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from authbus import AuthClient
from authbus_service.core.database import Database
from tests.rig.processes import serving
from tests.rig.steady import Steady

USERS, RATE = 40, 10.0
_REBALANCES = "is rebalancing"


@pytest.mark.gate
async def test_a_killed_process_takes_its_own_place_and_no_other_one_stops_for_it(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "other.log"
    async with (
        serving({**settings, "AUTHBUS_INSTANCE": "service-0"}, tmp_path / "killed.log") as killed,
        serving({**settings, "AUTHBUS_INSTANCE": "service-1"}, log),
        AuthClient(
            killed.told["kafka"],
            client_id="web",
            namespace=killed.told["namespace"],
            trust=killed.told["trust"],
        ) as auth,
    ):
        steady = Steady(auth, "user", USERS, RATE, timeout=60)
        await steady.come()
        before = len(log.read_text())
        async with steady.load():
            await killed.kill()
            await killed.start()
            await asyncio.sleep(2)
        missed = log.read_text()[before:]

    assert _REBALANCES not in missed
    assert len({each.session_id for each in steady.sessions}) == len(steady.took)
