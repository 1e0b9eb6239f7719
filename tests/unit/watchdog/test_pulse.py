"""An event loop that stands still ends its process; one that was stopped, or is busy, does not."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE

import pytest

PROGRAM = """
import asyncio, sys, time
from authbus_service.core import watchdog
from authbus_service.core.logging import configure

def stuck_for(seconds):
    time.sleep(seconds)

async def main():
    configure("json", "info")
    watchdog._TICK = 0.05
    with watchdog.Pulse(0.5):
        await asyncio.sleep(0.2)
        print("beats", flush=True)
        {then}
        await asyncio.sleep(0.2)

asyncio.run(main())
"""


async def started(then: str) -> asyncio.subprocess.Process:
    program = PROGRAM.format(then=then)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=PIPE, stderr=PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"beats\n"
    return child


async def test_a_loop_that_stands_still_ends_the_process_and_says_where_it_is() -> None:
    child = await started("stuck_for(20)")

    _, said = await asyncio.wait_for(child.communicate(), 10)

    line = json.loads(said)
    assert child.returncode == 1
    assert (line["level"], line["event"]) == ("critical", "the event loop stands still")
    assert line["at"][0].endswith("stuck_for")


@pytest.mark.gate
async def test_a_loop_that_is_only_busy_goes_on() -> None:
    child = await started("stuck_for(0.2)")

    assert await asyncio.wait_for(child.wait(), 10) == 0


@pytest.mark.gate
async def test_a_process_that_was_stopped_and_let_go_goes_on() -> None:
    child = await started("await asyncio.sleep(0.3)")

    child.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.5)
    child.send_signal(signal.SIGCONT)

    assert await asyncio.wait_for(child.wait(), 10) == 0
