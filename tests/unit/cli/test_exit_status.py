"""How the command line ends, as the catalogue of errors tells it."""

import signal
import subprocess
import sys

import pytest

from authbus_service.core.exit_status import Exit

STUBBORN = """
import asyncio
from authbus_service.cli.running import run, until_asked

async def work():
    print("works", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("asked", flush=True)

run(until_asked(work()))
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)],
    ids=lambda each: each.name,
)
def test_a_second_signal_ends_at_once_what_does_not_end_at_the_first(
    number: signal.Signals, status: Exit
) -> None:
    call = (sys.executable, "-c", STUBBORN)
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "works\n"
        child.send_signal(number)
        assert child.stdout.readline() == "asked\n"
        child.send_signal(number)

        assert child.wait(10) == status
