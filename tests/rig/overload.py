"""Many more commands than a service can hash, sealed before they are sent, and what came back."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import SecretStr

from authbus import LoggedIn, LoggedOut, LogIn, LogOut, RegisterUser, Rejected, Reply
from tests.rig.crowd import PASSWORD, email
from tests.rig.producing import Draft, Producer

USERS, SESSIONS_EACH = 80, 5
# How long a client of ours waits, and so how long each of these commands has.
LIFE = timedelta(seconds=15)
# One in so many is somebody's right log-in, the others buy hashes.
RIGHT = 10
_TICK, _SEALED_A_SECOND = 0.02, 500
WRONG = SecretStr("a password of nobody")
FULL_COST = {"AUTHBUS_ARGON2_MEMORY_KIB": "19456"}
LARGEST_RSS = 1024**3
_LOOK_SECONDS = 0.5

T = TypeVar("T")


@dataclass
class Sent:
    """Commands with their times; what was not answered in the end has no time in `took`."""

    web: Producer
    drafts: list[Draft] = field(default_factory=list[Draft])
    took: list[float] = field(default_factory=list[float])

    async def ask(self, draft: Draft) -> Reply:
        self.drafts.append(draft)
        began = time.perf_counter()
        answer = await self.web.ask(draft, within=60)
        self.took.append(time.perf_counter() - began)
        return answer

    def p99(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.99)]


def key(number: int) -> bytes:
    return b"key %d" % number


async def together(web: Producer, drafts: Sequence[Draft]) -> list[Reply]:
    """Send these at once and wait for each."""
    return await asyncio.gather(*(web.ask(draft, within=300) for draft in drafts))


async def sessions(web: Producer) -> tuple[list[LoggedIn], float]:
    """Users with sessions, and how many log-ins a second that was."""
    users = range(USERS)
    await together(
        web,
        [web.draft(RegisterUser(email=email(u), password=PASSWORD), key=key(u)) for u in users],
    )
    drafts = [
        web.draft(LogIn(email=email(user), password=PASSWORD), key=key(user))
        for user in [*users] * SESSIONS_EACH
    ]
    began = time.perf_counter()
    answers = await together(web, drafts)
    rate = len(answers) / (time.perf_counter() - began)
    return [each for each in answers if isinstance(each, LoggedIn)], rate


async def sealed(web: Producer, rate: float, seconds: float) -> tuple[list[Draft], datetime]:
    """Log-ins at that rate, sealed now, and when the first is to be sent."""
    count = int(rate * seconds)
    begin = datetime.now(UTC) + timedelta(seconds=2 + count / _SEALED_A_SECOND)
    drafts: list[Draft] = []
    for number in range(count):
        right = number % RIGHT == 0
        command = LogIn(
            email=email(number // RIGHT % USERS) if right else f"nobody{number}@example.com",
            password=PASSWORD if right else WRONG,
        )
        expirytime = begin + timedelta(seconds=number / rate) + LIFE
        drafts.append(web.draft(command, key=key(number), expirytime=expirytime))
        if number % 100 == 0:
            await asyncio.sleep(0)
    return drafts, begin


async def until_then(begin: datetime) -> None:
    """Wait for the time for which commands were sealed."""
    left = (begin - datetime.now(UTC)).total_seconds()
    assert left > 0, "sealing took longer than was foreseen"
    await asyncio.sleep(left)


async def flood(web: Producer, drafts: Sequence[Draft], rate: float) -> None:
    """Send these at that rate, whatever becomes of the ones before."""
    loop, sent = asyncio.get_running_loop(), 0
    began = loop.time()
    async with asyncio.TaskGroup() as sending:
        while sent < len(drafts):
            due = min(len(drafts), int((loop.time() - began) * rate) + 1)
            for draft in drafts[sent:due]:
                sending.create_task(web.send(draft))
            sent = due
            await asyncio.sleep(_TICK)


@asynccontextmanager
async def logging_out(
    sent: Sent, sessions: Sequence[LoggedIn], rate: float
) -> AsyncGenerator[None]:
    """For the length of a block, or as long as there are sessions, so many log-outs a second."""
    over = asyncio.Event()

    async def run() -> None:
        async with asyncio.TaskGroup() as asking:
            for each in sessions:
                if over.is_set():
                    break
                ask = LogOut(session_id=each.session_id, refresh_token=each.refresh_token)
                asking.create_task(sent.ask(sent.web.draft(ask, key=each.session_id.bytes)))
                await asyncio.sleep(1 / rate)

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        over.set()
        await running


async def all_answered(web: Producer, drafts: Sequence[Draft], *, within: float = 120) -> float:
    """Wait until each of these has an answer, or the time is up; how long that took."""
    began = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            for draft in drafts:
                await web.heard(draft, 1, within=within)
    return time.perf_counter() - began


def outcomes(web: Producer, drafts: Sequence[Draft]) -> Counter[str]:
    """What each was answered first: a refusal's code or a reply's name; "" for no answer."""
    found = Counter[str]()
    for draft in drafts:
        answers = [web.read(each, draft) for each in web.answers(draft.id)[:1]]
        found.update([_named(answers[0]) if answers else ""])
    return found


def _named(answer: Reply) -> str:
    return answer.code if isinstance(answer, Rejected) else type(answer).__name__


@asynccontextmanager
async def sampled(read: Callable[[], T]) -> AsyncGenerator[list[T]]:
    """What this tells each half second, for the length of a block."""
    found, over = list[T](), asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            found.append(await asyncio.to_thread(read))
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield found
    finally:
        over.set()
        await looking


def total(page: str, metric: str, label: str = "") -> int:
    """The sum of a metric's values whose labels have this in them."""
    lines = (line for line in page.splitlines() if line.startswith(metric) and label in line)
    return int(sum(float(line.split()[-1]) for line in lines))


def rebalances(page: str) -> list[str]:
    """How often each consumer had to stop since it joined its group, line by line."""
    return [line for line in page.splitlines() if line.startswith("authbus_rebalances_total{")]


def all_logged_out(web: Producer, drafts: Sequence[Draft]) -> bool:
    return set(outcomes(web, drafts)) == {LoggedOut.__name__}
