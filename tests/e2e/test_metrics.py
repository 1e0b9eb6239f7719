"""A service in a process of its own tells how long each stage of a command took."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from authbus import AuthClient
from authbus_service.core.database import Database
from authbus_service.core.metrics import Stage
from tests.rig.overload import total
from tests.rig.processes import ServiceProcess, serving

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
# Some stages are over only when the answer is there.
SECONDS = 10


async def test_one_log_in_is_counted_in_each_stage(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    async with serving(settings, tmp_path / "service.log") as process:
        told = process.told
        client = AuthClient(
            told["kafka"], client_id="web", namespace=told["namespace"], trust=told["trust"]
        )
        async with client as auth:
            await auth.register(EMAIL, PASSWORD)
            of_registering = await counted(process, Counter())
            await auth.log_in(EMAIL, PASSWORD)
            of_both = await counted(process, of_registering)

    assert of_registering.keys() == {*Stage}
    assert (of_both - of_registering).keys() == {*Stage}


async def counted(process: ServiceProcess, before: Counter[Stage]) -> Counter[Stage]:
    """How often each stage was, once each was oftener than before, or else after some seconds."""
    now = Counter[Stage]()
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            while (now - before).keys() != {*Stage}:
                await asyncio.sleep(0.05)
                now = stages(process.metrics())
    return now


def stages(page: str) -> Counter[Stage]:
    """Those that were at all."""
    name = "authbus_stage_seconds_count"
    return +Counter({each: total(page, name, f'stage="{each}"') for each in Stage})
