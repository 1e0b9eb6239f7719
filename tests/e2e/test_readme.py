"""The first ten minutes of the README and a user's own test, as they stand there."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

START_SECONDS = 60
TALK_SECONDS = 30


def snippet(page: Path, heading: str) -> str:
    """The Python program under a heading of a page."""
    section = page.read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    return section.partition("```python\n")[2].partition("```")[0]


@asynccontextmanager
async def program(*arguments: str) -> AsyncGenerator[Process]:
    """A Python program that is asked to end when the block is left."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-u", *arguments, stdout=PIPE, stderr=PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            await child.wait()


def for_ops(page: Path, addresses: Mapping[str, str]) -> str:
    """What the page shows to who runs the service, as far as it ends by itself and asks nothing."""
    block = page.read_text(encoding="utf-8").partition("### Ops\n")[2].partition("```sh\n")[2]
    lines = block.partition("```")[0].splitlines()
    wanted = ("export ", "authbus doctor", "authbus sessions")
    shown = "\n".join(each for each in lines if each.startswith(wanted))
    shown = re.sub(r"DATABASE_URL=\S+", f"DATABASE_URL={addresses['database']}", shown)
    shown = shown.replace("localhost:9092", addresses["kafka"])
    return shown.replace("=deploy/", f"={page.parent}/deploy/")


@pytest.fixture
async def addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mapping[str, str]]:
    """Those that `authbus serve` without settings prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTHBUS_HTTP_PORT", "0")
    async with program("-m", "authbus_service", "serve") as service:
        assert service.stdout is not None
        line = await asyncio.wait_for(service.stdout.readline(), START_SECONDS)
        yield json.loads(line)


async def test_the_snippets_of_the_readme_run_and_the_downstream_hears_the_producer(
    repository: Path, addresses: Mapping[str, str]
) -> None:
    producer, downstream = (
        snippet(repository / "README.md", who).replace("localhost:9092", addresses["kafka"])
        for who in ("A producer", "A downstream module")
    )

    async with program("-c", downstream) as hearing, program("-c", producer) as asking:
        out, err = await asyncio.wait_for(asking.communicate(), TALK_SECONDS)
        assert hearing.stdout is not None
        heard = [await asyncio.wait_for(hearing.stdout.readline(), TALK_SECONDS) for _ in range(3)]

    assert (asking.returncode, err) == (0, b"")
    assert out == b"invalid_credentials\n"
    kinds = [re.split(r" (?=[0-9a-f]{8}-)", line.decode())[0] for line in heard]
    assert kinds == ["new user", "log-in by web", "session over"]
    await ops_go_on(repository, addresses)


async def ops_go_on(repository: Path, addresses: Mapping[str, str]) -> None:
    """What they are shown does well in another terminal, in the folder that has the data."""
    shown = for_ops(repository / "README.md", addresses)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = await asyncio.create_subprocess_exec(
        "bash", "-ec", shown, stdout=PIPE, stderr=PIPE, env={**os.environ, "PATH": path}
    )
    out, err = await asyncio.wait_for(shell.communicate(), TALK_SECONDS)

    assert shell.returncode == 0, err.decode()
    told = [json.loads(line) for line in out.splitlines()]
    assert [each["what"] for each in told if each.get("state") == "fault"] == []
    assert [each["client"] for each in told if "client" in each] == ["web"]


async def test_the_test_that_users_are_shown_passes_without_any_service(repository: Path) -> None:
    shown = snippet(repository / "schemas/README.md", "Your own tests")
    async with program("-W", "error", "-c", shown) as testing:
        out, err = await asyncio.wait_for(testing.communicate(), TALK_SECONDS)

    assert (testing.returncode, err) == (0, b"")
    assert out.split() == [
        b"UserCreated",
        b"EmailVerified",
        b"SessionStarted",
        b"RoleGranted",
        b"SessionRefreshed",
        b"SessionEnded",
    ]
