"""Child processes: started so that none outlives its parent, watched, stopped, killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from authbus_service.embedded.errors import PortTakenError, ServerFailedError

_SHIM = Path(__file__).with_name("exec_shim.py")
_POLL_SECONDS = 0.01
_STOP_SECONDS = 15.0
_TAIL_BYTES = 4000
_TAIL_LINES = 20
_PORT_TAKEN = ("Address already in use", "BindException")


@dataclass(frozen=True, kw_only=True)
class Program:
    """How a server is run: its command, where it writes, how it is asked to stop.

    It runs in the folder of its log.
    """

    name: str
    command: Sequence[str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    own_folder: Path | None = None
    """Set when the server refuses to run as root: the folder that it must own."""
    keep_open: tuple[int, ...] = ()


class Process:
    """A running server; `expected` turns true once we ended it ourselves."""

    def __init__(self, program: Program) -> None:
        """Start it; call from a thread that lives as long as the server shall (PDEATHSIG)."""
        self.name = program.name
        self.expected = False
        self._log = program.log
        self._stop_signal = program.stop_signal
        with program.log.open("wb") as log:
            self._child = subprocess.Popen(
                _shim_command(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=program.log.parent,
                env=_environment(),
                start_new_session=True,
                pass_fds=program.keep_open,
            )

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    @property
    def ended(self) -> bool:
        """Whether the server has ended, for whatever reason."""
        return self._child.poll() is not None

    def tail(self) -> str:
        """Return the last lines that the server wrote."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    def obituary(self) -> str:
        """Say how the server ended, with the end of its log."""
        ended = f"{self.name} ended with status {self._child.poll()}"
        return f"{ended}. Its last lines tell why:\n{self.tail()}"

    async def until(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until `ready` says so; raise ServerFailedError when it ends or is too slow."""
        try:
            async with asyncio.timeout(seconds):
                while not await ready():
                    if self.ended:
                        taken = any(text in self.tail() for text in _PORT_TAKEN)
                        raise (PortTakenError if taken else ServerFailedError)(self.obituary())
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            late = f"{self.name} was not ready after {seconds:.0f} s"
            msg = f"{late}. Its last lines tell why:\n{self.tail()}"
            raise ServerFailedError(msg) from None

    async def wait(self, seconds: float) -> bool:
        """Wait for the end; return False when the time is over first."""
        for _ in range(int(seconds / _POLL_SECONDS)):
            if self.ended:
                break
            await asyncio.sleep(_POLL_SECONDS)
        return self.ended

    async def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Ask the server to end; kill it when the time is over."""
        self.expected = True
        if not self.ended:
            self._child.send_signal(self._stop_signal)
        if not await self.wait(seconds):
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL the server and wait until it is gone."""
        self.expected = True
        if not self.ended:
            self._child.kill()
        await self.wait(_STOP_SECONDS)


def run(program: Program, *, seconds: float) -> None:
    """Run a program to its end; raise ServerFailedError unless it ends well."""
    try:
        with program.log.open("wb") as log:
            subprocess.run(
                _shim_command(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=program.log.parent,
                env=_environment(),
                timeout=seconds,
                check=True,
            )
    except subprocess.SubprocessError as error:
        text = program.log.read_text(errors="replace")[-_TAIL_BYTES:]
        ended = getattr(error, "returncode", f"none after {seconds:.0f} s")
        msg = f"{program.name} failed with status {ended}. Its last lines tell why:\n{text}"
        raise ServerFailedError(msg) from None


def _shim_command(program: Program) -> list[str]:
    folder = "-" if program.own_folder is None else str(program.own_folder)
    shim = [sys.executable, "-I", "-S", str(_SHIM)]
    return [*shim, str(int(program.stop_signal)), str(os.getpid()), folder, *program.command]


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}
