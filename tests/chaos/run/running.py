"""One run: clients ask, the nemesis strikes, all heals, and everything is gathered."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from time import monotonic

from authbus.state import PublicKey
from authbus.topics import COMMAND_TOPICS, DEAD_LETTERS, KEYS_STATE
from tests.chaos.checker.history import History, Stable
from tests.chaos.run import gathering
from tests.chaos.run.again import close_the_audit, replayed
from tests.chaos.run.client import Client
from tests.chaos.run.holdings import Holdings
from tests.chaos.run.looker import Looker, read_ends
from tests.chaos.run.members import Member, supervised
from tests.chaos.run.menu import Profile
from tests.chaos.run.nemesis import Nemesis, Struck
from tests.chaos.run.people import People
from tests.chaos.run.stage import CLIENTS, NAMESPACE, Stage, staged
from tests.chaos.run.verifying import Verifying
from tests.chaos.run.workload import FIRST, Asker
from tests.rig.topics import records

ANSWERED_SECONDS = 30.0
_AT_REST_SECONDS = 60.0
_SERVICES = 2
# One that failed, or whose sender was killed, waits for minutes; at rest none may be left.
_MAILS_ARE_DUE = "UPDATE mails SET due_at = clock_timestamp() WHERE due_at > clock_timestamp()"
_KEY_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What is to be done: for so many seconds, from this seed, with faults of this menu."""

    seconds: float
    seed: int
    menu: tuple[str, ...]
    profile: Profile = "small"
    askers: int = 32  # of each client


@dataclass
class Run:
    """What came of it. Times are seconds of one clock; `waits` those from the heal to an answer."""

    plan: Plan
    began: float = field(default_factory=monotonic)
    healed: float = 0.0
    history: History = field(default_factory=History)
    struck: list[Struck] = field(default_factory=list[Struck])
    counts: Counter[str] = field(default_factory=Counter[str])
    replayed: Counter[str] = field(default_factory=Counter[str])
    waits: list[float] = field(default_factory=list[float])
    unanswered: list[str] = field(default_factory=list[str])
    ended_alone: list[int] = field(default_factory=list[int])
    looks_missed: int = 0


async def run(plan: Plan, folder: Path) -> Run:
    """Do it, with all logs in this folder."""
    made, random = Run(plan), Random(plan.seed)
    async with staged(folder, plan.menu) as stage:
        async with (
            supervised(_SERVICES, stage.settings, folder, stage.orders) as members,
            _clients(stage, random) as clients,
        ):
            people = People(Random(random.random()))
            looker = Looker(stage)
            holdings = Holdings(members)
            verifying = Verifying(
                clients[0], stage.settings["KAFKA_BOOTSTRAP_SERVERS"], Random(random.random())
            )
            looking = [asyncio.create_task(each.go_on()) for each in (looker, holdings, verifying)]
            nemesis = Nemesis(stage, members, Random(random.random()))
            made.began = monotonic()
            await _live(plan, clients, people, nemesis)
            await _calm(made, stage, members, clients)
            replay, made.replayed = await replayed(stage)
            await _at_rest(stage)
            stable = await looker.stable()
            held = await holdings.at_rest(stage)
            await _ended(looking)
            looker.looks += await looker.look()
            made.struck, made.looks_missed = nemesis.struck, looker.missed
            made.ended_alone = [status for each in members for status in each.alone]
            made.counts += sum((each.counts for each in clients), Counter[str]())
        made.history = replace(
            await _gathered(stage, clients, people, looker, stable),
            replays=(replay,),
            failed=frozenset(nemesis.failed),
            looks=tuple(verifying.looks),
            samples=holdings.samples(),
            held=held,
        )
    return made


async def _ended(looking: Sequence[asyncio.Task[None]]) -> None:
    """End those that go on for ever; one that has ended by itself has failed."""
    failed = [each for each in looking if each.done()]
    for each in looking:
        each.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    for each in failed:
        each.result()


async def _live(plan: Plan, clients: Sequence[Client], people: People, nemesis: Nemesis) -> None:
    stops = asyncio.Event()
    for _ in range(FIRST):
        people.new()
    askers = [
        Asker(client, people, Random(people.random.random()), stops)
        for client in clients
        for _ in range(plan.askers)
    ]
    async with asyncio.TaskGroup() as tasks:
        for each in askers:
            tasks.create_task(each.go_on())
        until = monotonic() + plan.seconds
        if plan.menu:
            await nemesis.strike(plan.menu, until)
        await asyncio.sleep(max(0.0, until - monotonic()))
        stops.set()


async def _calm(
    made: Run, stage: Stage, members: Sequence[Member], clients: Sequence[Client]
) -> None:
    """Let all heal, be answered and be said."""
    await _heal(made, members)
    await _until_answered(made, clients)
    await close_the_audit(stage)
    await _at_rest(stage)


async def _heal(made: Run, members: Sequence[Member]) -> None:
    """From now on nobody harms anybody; a process that ended by itself may still be starting."""
    made.healed = monotonic()
    await asyncio.gather(*(each.until_up(ANSWERED_SECONDS) for each in members))


async def _until_answered(made: Run, clients: Sequence[Client]) -> None:
    """Go on with everything that has no answer yet, as its client would."""
    open_ = [
        (client, asked)
        for client in clients
        for asked in client.asked.values()
        if asked.decided is None
    ]
    left = made.healed + ANSWERED_SECONDS - monotonic()
    await asyncio.gather(*(client.persist(asked, patience=left) for client, asked in open_))
    made.counts["pending at the heal"] = len(open_)
    for _, asked in open_:
        if asked.returned is None:
            made.unanswered.append(str(asked.draft.id))
        else:
            made.waits.append(max(0.0, asked.returned - made.healed))


async def _at_rest(stage: Stage) -> None:
    """Wait until all is finished and said, for as long as it may take."""
    async with stage.database() as db:
        await db.execute(_MAILS_ARE_DUE)
    with suppress(TimeoutError):
        async with asyncio.timeout(_AT_REST_SECONDS):
            while not await _is_at_rest(stage):  # noqa: ASYNC110 - a server wakes nobody
                await asyncio.sleep(0.2)


async def _is_at_rest(stage: Stage) -> bool:
    async with stage.database() as db:
        waiting = await db.fetchval(
            "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM mails)"
        )
        rows = await db.fetch("SELECT topic, partition, next_offset FROM fence")
    fence = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    ends = await read_ends(stage.servers, COMMAND_TOPICS)
    return not waiting and all(fence.get(place, 0) >= end for place, end in ends.items())


async def _gathered(
    stage: Stage,
    clients: Sequence[Client],
    people: People,
    looker: Looker,
    stable: Sequence[Stable],
) -> History:
    """When the services have ended, so that nothing moves any more."""
    log, texts = await gathering.log(stage)
    committed = await gathering.on_topics(stage.servers, gathering.SAID, "read_committed")
    uncommitted = await gathering.on_topics(stage.servers, gathering.SAID)
    texts |= gathering.texts(uncommitted)
    for client in clients:
        texts |= gathering.texts(each for of in client.all_heard.values() for each in of)
    lines = [line for path in stage.folder.glob("service*.log") for line in _lines(path)]
    return History(
        calls=gathering.calls(clients),
        log=log,
        dead=gathering.dead(await gathering.on_topics(stage.servers, [DEAD_LETTERS])),
        answers=gathering.answers(clients),
        committed=gathering.told(committed),
        uncommitted=gathering.told(uncommitted),
        **await gathering.tables(stage),
        offsets=tuple(looker.looks),
        stable=tuple(stable),
        logs=tuple(lines),
        canaries=tuple(sorted(people.secrets)),
        texts=texts,
    )


def _lines(path: Path) -> list[str]:
    """The log, without the last words to a person of a process that Kafka did not let start."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [each for each in lines if not each.startswith("authbus: ")]


async def _key(stage: Stage) -> dict[str, str]:
    """The newest key that commands are sealed for; none while there is none."""
    jwk: dict[str, str] = {}
    async for record in records(stage.servers, KEYS_STATE, NAMESPACE):
        if record.value:
            key = PublicKey.model_validate_json(record.value)
            jwk = key.jwk if key.use == "enc" else jwk
    return jwk


@asynccontextmanager
async def _clients(stage: Stage, random: Random) -> AsyncGenerator[list[Client]]:
    async with asyncio.timeout(_KEY_SECONDS):
        # A service may serve before its relay leads.
        while not (jwk := await _key(stage)):  # noqa: ASYNC110 - a server wakes nobody
            await asyncio.sleep(0.1)
    clients = [
        Client(stage.servers, NAMESPACE, jwk, name, Random(random.random())) for name in CLIENTS
    ]
    async with AsyncExitStack() as opened:
        for each in clients:
            await each.start()
            opened.push_async_callback(each.stop)
        yield clients
