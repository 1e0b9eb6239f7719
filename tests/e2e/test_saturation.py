"""Every core hashes for hours: Kafka takes nobody for dead, and all are let in."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from authbus import AuthClient, AuthRejected, AuthTimeout
from authbus_service.core.database import Database
from tests.rig.overload import FULL_COST, LARGEST_RSS, rebalances, sampled, total
from tests.rig.processes import ServiceProcess, serving
from tests.rig.steady import PASSWORD, Steady

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(4 * 3600)]

MINUTES = float(os.environ.get("MINUTES", "120"))
# Each asks again as soon as it has its answer: hashes always wait.
USERS, TIMEOUT = 64, 30.0
SATURATED = 0.95


async def asking(auth: AuthClient, email: str, password: str, until: float) -> Counter[str]:
    """Log in again and again until then, and count the ends."""
    ends = Counter[str]()
    while asyncio.get_running_loop().time() < until:
        try:
            await auth.log_in(email, password, timeout=TIMEOUT)
        except (AuthRejected, AuthTimeout) as error:
            ends[str(error)] += 1
        else:
            ends["let in"] += 1
    return ends


def looked(process: ServiceProcess) -> tuple[int, int]:
    """Its memory, and how many hashes wait."""
    return process.rss(), total(process.metrics(), "authbus_hash_queued")


async def test_hours_of_as_many_log_ins_as_can_be_hashed_make_no_consumer_stop(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    async with serving({**settings, **FULL_COST}, tmp_path / "service.log") as process:
        told = process.told
        client = AuthClient(
            told["kafka"], client_id="web", namespace=told["namespace"], trust=told["trust"]
        )
        async with client as auth:
            steady = Steady(auth, "user", USERS, 0)
            await steady.come()
            before = rebalances(process.metrics())
            until = asyncio.get_running_loop().time() + 60 * MINUTES

            async with sampled(lambda: looked(process)) as looks:
                emails = map(steady.email, range(USERS))
                asked = (asking(auth, each, PASSWORD, until) for each in emails)
                ends = sum(await asyncio.gather(*asked), Counter[str]())
            after = rebalances(process.metrics())

    full = sum(waiting > 0 for _, waiting in looks) / len(looks)
    largest = max(rss for rss, _ in looks)
    print(  # noqa: T201
        f"{MINUTES:g} min: {dict(ends)}, hashes waited for {full:.1%} of it, "
        f"{largest / 2**20:.0f} MiB; {after}"
    )
    assert after == before != []
    assert set(ends) == {"let in"}
    assert full > SATURATED
    assert largest < LARGEST_RSS
