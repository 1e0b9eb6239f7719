"""Service processes that are started again whenever they have ended."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from authbus_service.core.exit_status import Exit
from tests.chaos.run import points
from tests.chaos.run.leavings import TO_A_PERSON
from tests.rig.processes import ServiceProcess

MISSED_AFTER = 3.0
_TRY_AGAIN = 0.5
# What a service says last that cannot reach a server.
_AWAY = ("Is Kafka there", "Is PostgreSQL there")


@dataclass(frozen=True, slots=True)
class End:
    """A process that nobody ended, or not so. `words` are its log's last line.

    `has_run`: it had taken commands.
    """

    status: int
    words: str
    has_run: bool

    @property
    def is_an_outage(self) -> bool:
        """Whether it could not start because a server was away, and said so: it is tried again."""
        says_so = self.words.startswith(TO_A_PERSON) and any(each in self.words for each in _AWAY)
        return says_so and not self.has_run and self.status == Exit.LEFT


class _Process(ServiceProcess):
    """One that kills itself where an order in this folder says so."""

    def __init__(self, settings: Mapping[str, str], log: Path, orders: Path) -> None:
        super().__init__(settings, log)
        self._orders = orders

    def program(self) -> tuple[str, ...]:
        return points.__name__, str(MISSED_AFTER), str(self._orders)


class Member:
    """One process under a supervisor, as an orchestrator would run it.

    `alone` are the ends that nobody asked for, or not so.
    """

    def __init__(self, settings: Mapping[str, str], log: Path, orders: Path) -> None:
        self.name = settings["AUTHBUS_INSTANCE"]
        self.log = log
        self.alone: list[End] = []
        self._orders = orders
        self._process = _Process(settings, log, orders)
        self._up = asyncio.Event()
        self._ended_by: signal.Signals | None = None
        self._may_start = 0.0

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    @property
    def pid(self) -> int:
        """That of the process that runs now, or ran last."""
        return self._process.child.pid

    async def start(self) -> None:
        await self._process.start()
        self._up.set()

    async def keep(self) -> None:
        """Start it again and again; never returns."""
        while True:
            status = await self._process.child.wait()
            self._up.clear()
            self._judge(status)
            await asyncio.sleep(max(_TRY_AGAIN, self._may_start - monotonic()))
            await self._start_again()

    def _judge(self, status: int) -> None:
        """Only SIGKILL excuses all; who is asked to end must do so in good order."""
        asked = self._ended_by is signal.SIGTERM and status == Exit.DONE
        if self._ended_by is not signal.SIGKILL and not asked:
            self._note(status, has_run=True)
        self._ended_by = None

    def _note(self, status: int, *, has_run: bool) -> None:
        if not self._was_ordered():
            lines = self.log.read_text(encoding="utf-8").splitlines()
            self.alone.append(End(status, lines[-1] if lines else "", has_run))

    def _was_ordered(self) -> bool:
        return any(self._orders.glob(f"*.{self.pid}"))

    async def _start_again(self) -> None:
        while not self.is_up:
            try:
                await self.start()
            except (AssertionError, TimeoutError) as error:  # what it needs is not there yet
                if isinstance(error, TimeoutError):
                    self._process.child.kill()
                self._note(await self._process.child.wait(), has_run=False)
                await asyncio.sleep(_TRY_AGAIN)

    def end_by(self, which: signal.Signals, rest: float = 0.0) -> bool:
        """Let it end, and rest for so many seconds; False when it was not running."""
        if not self.send(which):
            return False
        self._ended_by, self._may_start = which, monotonic() + rest
        self._up.clear()
        return True

    def send(self, which: signal.Signals) -> bool:
        """Send it a signal; False when it is not running."""
        is_there = self.is_up and self._process.child.returncode is None
        if is_there:
            self._process.child.send_signal(which)
        return is_there

    async def until_up(self, within: float) -> None:
        async with asyncio.timeout(within):
            await self._up.wait()

    async def until_another_than(self, dead: Collection[int]) -> None:
        """Wait until a process runs that is none of these."""
        while self.pid in dead:  # noqa: ASYNC110 - it is told by its start
            await asyncio.sleep(_TRY_AGAIN / 10)
        await self._up.wait()

    async def end(self) -> None:
        """SIGTERM, for good."""
        if self._process.child.returncode is None:
            self._ended_by = signal.SIGTERM
            self._judge(await self._process.stop())


@asynccontextmanager
async def supervised(
    count: int, settings: Mapping[str, str], folder: Path, orders: Path
) -> AsyncGenerator[list[Member]]:
    """So many processes; at the end they are told to stop."""
    members = [
        Member({**settings, "AUTHBUS_INSTANCE": f"service{n}"}, folder / f"service{n}.log", orders)
        for n in range(count)
    ]
    async with AsyncExitStack() as opened:
        for each in members:
            await each.start()
            opened.push_async_callback(each.end)
        keeping = [asyncio.create_task(each.keep()) for each in members]
        try:
            yield members
        finally:
            for each in keeping:
                each.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
