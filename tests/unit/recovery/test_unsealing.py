"""Seals opened by a process of its own: in order, whatever they are, as long as somebody asks."""

import subprocess
import sys
import time
from contextlib import aclosing

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from authbus.sealing import public_jwk, seal
from authbus_service.recovery.unsealing import UnsealerGoneError, unsealing

OURS = generate_private_key(SECP256R1())
OTHER = generate_private_key(SECP256R1())
PUBLIC = public_jwk(OURS.public_key()) | {"kid": "k1"}
OTHERS = public_jwk(OTHER.public_key()) | {"kid": "k2"}
WAITS = """
import asyncio
from authbus_service.recovery.unsealing import unsealing

async def main():
    async with unsealing({}) as unsealer:
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def _unsealer(parent: psutil.Process) -> psutil.Process:
    # A process that has just been started has no command line for a moment.
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for each in parent.children():
            if unsealing.__module__ in each.cmdline():
                return each
    raise AssertionError("no process opens seals")


async def test_each_seal_is_answered_in_order_also_the_one_that_cannot_be_opened() -> None:
    large = b"x" * 40_000
    seals = [seal(large, PUBLIC), b"", b"no seal", seal(b"theirs", OTHERS)]
    seals += [seal(str(number).encode(), PUBLIC) for number in range(300)]
    async with unsealing({"k1": OURS}) as unsealer:
        found = [each async for each in unsealer.opened(seals)]
        again = [each async for each in unsealer.opened(seals[-1:])]

    assert found == [large, None, None, None, *(str(each).encode() for each in range(300))]
    assert again == [b"299"]


async def test_a_process_that_is_gone_is_an_error_and_not_a_seal_that_cannot_be_opened() -> None:
    async with unsealing({"k1": OURS}) as unsealer:
        child = _unsealer(psutil.Process())
        child.kill()
        async with aclosing(unsealer.opened([seal(b"a", PUBLIC)])) as opened:
            with pytest.raises(UnsealerGoneError):
                await anext(opened)


def test_the_process_ends_with_the_one_that_asks_even_when_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as out:
        out.readline()
    child = _unsealer(psutil.Process(parent.pid))

    parent.kill()
    parent.wait()

    child.wait(10)
