"""Connections that a network passes one way only are found and made anew."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from authbus import AuthClient, AuthError
from tests.chaos.faults import Side
from tests.chaos.run.stage import Stage, staged
from tests.rig.processes import serving

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
_BROKEN_SECONDS, _WITHIN_SECONDS = 1.5, 10


async def has_logged_in(auth: AuthClient) -> None:
    """Log in, and again for as long as nobody answers."""
    while True:
        try:
            await auth.log_in(EMAIL, PASSWORD)
        except AuthError:
            await asyncio.sleep(0.1)
        else:
            return


async def lose_what_comes(stage: Stage, side: Side) -> None:
    lost = stage.kafka.proxy.drop(side=side, times=None)
    await asyncio.sleep(_BROKEN_SECONDS)
    lost.lift()
    assert lost.requests


@pytest.mark.gate
async def test_a_log_in_is_answered_soon_after_all_connections_died_one_way() -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # noqa: ASYNC240 - at once
        async with (
            staged(folder, ["dead from the broker"]) as stage,
            serving(stage.settings, folder / "service.log") as ready,
            AuthClient(stage.kafka.to_services, client_id="web", trust=ready.told["trust"]) as auth,
        ):
            await auth.register(EMAIL, PASSWORD)
            for side in Side:
                await lose_what_comes(stage, side)
                async with asyncio.timeout(_WITHIN_SECONDS):
                    await has_logged_in(auth)
