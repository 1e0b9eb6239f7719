"""Programs of other languages: what they need, how they are built and run."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from authbus_service.embedded.locks import Lock

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "interop"
EXAMPLES = REPOSITORY / "schemas" / "examples"

# kubectl has kustomize in it.
KUSTOMIZE = ("kustomize", "build") if shutil.which("kustomize") else ("kubectl", "kustomize")

# Each program runs for a moment: what is built quickly serves better here than what is built well.
# All that is built in one way is built once, of Go's own packages too.
QUICKLY = "-gcflags=all=-N -l -dwarf=false"
GO = {
    "GOCACHE": str(CACHE / "go" / "build"),
    "GOMODCACHE": str(CACHE / "go" / "modules"),
    "GOFLAGS": "-mod=readonly -modcacherw",
    "GOTOOLCHAIN": "local",
    "CGO_ENABLED": "0",
    "GOGC": "400",
}

_BUILD_SECONDS = 600
_RUN_SECONDS = 60


def missing(*tools: str) -> list[str]:
    """Those of them that this machine has not."""
    return [tool for tool in tools if shutil.which(tool) is None]


def copied(source: Path, *but: str) -> Path:
    """A copy of an example's folder, to be built in; `but` names what builds make of it."""
    place = CACHE / source.name
    shutil.copytree(source, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*but))
    return place


async def run(
    *command: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = _RUN_SECONDS,
) -> list[str]:
    """The lines that a program prints until it ends well."""
    async with started(*command, folder=folder, environment=environment) as child:
        talking = asyncio.create_task(child.communicate())
        await asyncio.wait([talking], timeout=seconds)
        if not talking.done():
            child.terminate()
        out, err = await talking
    assert child.returncode == 0, f"{' '.join(command)}\n{out.decode()}{err.decode()}"
    return out.decode().splitlines()


async def failed(*command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """The errors of a program that prints nothing and ends badly, by itself."""
    async with started(*command, folder=folder, environment=environment) as child:
        out, err = await asyncio.wait_for(child.communicate(), _RUN_SECONDS)
    assert child.returncode, f"{' '.join(command)}\n{out.decode()}"
    assert not out
    return err.decode()


async def build(*command: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a build tool, which may have to fetch what it needs."""
    await run(*command, folder=folder, environment=environment, seconds=_BUILD_SECONDS)


async def built_by_go(command: str, *arguments: str, folder: Path) -> None:
    """Build with the versions and hashes of go.sum; two at once would build the same twice."""
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = Lock(CACHE / "go.lock")
    await asyncio.to_thread(lock.acquire)
    try:
        await build("go", command, QUICKLY, *arguments, folder=folder, environment=GO)
    finally:
        lock.release()


async def installed_by_npm(source: Path) -> Path:
    """A copy of a folder beside the packages of its lock, which are fetched hash by hash."""
    lock = source / "npm-shrinkwrap.json"
    installed = CACHE / source.name / "installed"
    fresh = installed.exists() and installed.read_bytes() == lock.read_bytes()
    place = copied(source, "node_modules")
    if not fresh:
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--cache", f"{place}/cache")
        await build("npm", "ci", *options, folder=place)
        shutil.copy(lock, installed)
    return place


def of_another_root(places: Mapping[str, str]) -> Mapping[str, str]:
    """What an example is told where the keys that it finds are not those that it trusts."""
    return {**places, "AUTHBUS_TRUST": "A" * 43}


def is_a_life(told: list[str]) -> None:
    """Whether an example went through all of a user's life, and says of each step whose it was."""
    words = [line.split(" ") for line in told]
    assert [word[0] for word in words] == ["registered", "logged", "refreshed", "refused", "logged"]
    assert words[1][2] == words[0][1] == words[2][1]
    assert told[3] == "refused invalid_credentials"


def events_of(user_id: object) -> list[str]:
    """What the examples print of the events of such a life: kind, user and sequence."""
    kinds = ("UserCreated", "SessionStarted", "SessionRefreshed", "SessionEnded")
    return [f"authbus.{kind}.v1 {user_id} {count}" for count, kind in enumerate(kinds, 1)]


@asynccontextmanager
async def started(
    *command: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stdin: int = DEVNULL,
) -> AsyncGenerator[Process]:
    """A program that is asked to end when the block is left, where it has not ended by itself."""
    child = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
            await child.communicate()


async def answer_to(line: str, child: Process) -> str:
    """The line that a program prints when it is given this one."""
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdin.write(f"{line}\n".encode())
    async with asyncio.timeout(_RUN_SECONDS):
        said = await child.stdout.readline() or await child.stderr.read()
    return said.decode().rstrip("\n")


async def lines_until(child: Process, *last: str) -> list[str]:
    """What a program prints, until it has printed a line that begins with each of these."""
    found: list[str] = []
    async with asyncio.timeout(_RUN_SECONDS):
        async for line in _lines(child):
            found.append(line)
            if all(any(each.startswith(start) for each in found) for start in last):
                return found
    assert child.stderr is not None
    raise AssertionError(f"{found} {(await child.stderr.read()).decode()}")


async def _lines(child: Process) -> AsyncIterator[str]:
    assert child.stdout is not None
    async for line in child.stdout:
        yield line.decode().rstrip("\n")
