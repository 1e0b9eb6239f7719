"""The command as a program."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from authbus_service.embedded import Addresses

KEPT = ("PATH", "PYTHONPATH", "HOME", "AUTHBUS_CACHE", "LANG")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


Authbus = Callable[..., Awaitable[Ended]]


@pytest.fixture
def servers(addresses: Addresses) -> str:
    return addresses.bootstrap_servers


@pytest.fixture
def authbus(tmp_path: Path) -> Authbus:
    """Run `authbus` in an empty folder with these settings alone."""

    async def run(*arguments: str, **settings: str) -> Ended:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "authbus_service",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={**kept, **settings},
        )
        out, err = await asyncio.wait_for(child.communicate(), 60)
        return Ended(child.returncode or 0, out.decode(), err.decode())

    return run
