"""One run: clients ask, the nemesis strikes, all heals, and everything is gathered."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from time import monotonic

from authbus.state import PublicKey
from authbus.topics import DEAD_LETTERS, KEYS_STATE, RELAY
from tests.chaos.checker.history import History
from tests.chaos.run import gathering
from tests.chaos.run.again import replayed
from tests.chaos.run.calming import at_rest, calm
from tests.chaos.run.canaries import canaries
from tests.chaos.run.client import Client
from tests.chaos.run.holdings import Holdings
from tests.chaos.run.leavings import logged, stored
from tests.chaos.run.looker import Looker, beside
from tests.chaos.run.members import supervised
from tests.chaos.run.nemesis import Nemesis
from tests.chaos.run.operator import Operator
from tests.chaos.run.people import People
from tests.chaos.run.runs import Plan, Run
from tests.chaos.run.stage import CLIENTS, NAMESPACE, Stage, staged
from tests.chaos.run.verifying import Verifying
from tests.chaos.run.workload import Asker
from tests.rig.topics import records

_SERVICES = 2
_KEY_SECONDS = 30.0


async def run(plan: Plan, folder: Path) -> Run:
    """Do it, with all logs in this folder."""
    made, random = Run(plan), Random(plan.seed)
    async with staged(folder, plan.menu) as stage:
        async with (
            supervised(_SERVICES, stage.settings, folder, stage.orders) as members,
            _clients(stage, random) as clients,
        ):
            people, operator = People(Random(random.random())), Operator.of(stage.settings)
            looker, holdings = Looker(stage), Holdings(members)
            verifying = Verifying(
                clients[0], stage.settings["KAFKA_BOOTSTRAP_SERVERS"], Random(random.random())
            )
            looking = [asyncio.create_task(each.go_on()) for each in (looker, holdings, verifying)]
            nemesis = Nemesis(stage, members, Random(random.random()))
            made.began = monotonic()
            await _live(plan, _askers(plan, clients, people, operator), nemesis)
            settled = await calm(made, stage, members, clients, looker)
            replay, made.replayed = await replayed(stage)
            await at_rest(stage)
            stable = await looker.stable()
            held = await holdings.at_rest(stage)
            await _ended(looking)
            looker.looks += await looker.look()
            made.struck, made.looks_missed = nemesis.struck, looker.missed
            made.counts += sum((each.counts for each in clients), Counter[str]())
        made.ended_alone = [end for each in members for end in each.alone]
        made.history = replace(
            await _gathered(stage, clients),
            replays=(replay,),
            failed=frozenset(nemesis.failed),
            looks=tuple(verifying.looks),
            samples=holdings.samples(),
            held=held,
            offsets=beside(looker.looks, nemesis.struck),
            stable=tuple(stable),
            settled=settled,
            canaries=canaries(stage, clients, people, operator),
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


def _askers(
    plan: Plan, clients: Sequence[Client], people: People, operator: Operator
) -> list[Asker]:
    for _ in range(plan.people):
        people.new()
    return [
        Asker(client, people, Random(people.random.random()), operator)
        for client in clients
        for _ in range(plan.askers)
    ]


async def _live(plan: Plan, askers: Sequence[Asker], nemesis: Nemesis) -> None:
    stops = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for each in askers:
            tasks.create_task(each.go_on(stops))
        until = monotonic() + plan.seconds
        if plan.menu:
            await nemesis.strike(plan.menu, until)
        await asyncio.sleep(max(0.0, until - monotonic()))
        stops.set()


async def _gathered(stage: Stage, clients: Sequence[Client]) -> History:
    """When the services have ended, so that nothing moves any more."""
    log, texts = await gathering.log(stage)
    committed = await gathering.on_topics(stage.servers, gathering.SAID, "read_committed")
    uncommitted = await gathering.on_topics(stage.servers, gathering.SAID)
    dead = await gathering.on_topics(stage.servers, [DEAD_LETTERS])
    rest = await gathering.on_topics(stage.servers, [KEYS_STATE, RELAY])
    for each in (uncommitted, dead, rest):
        texts |= gathering.texts(each)
    for client in clients:
        texts |= gathering.texts(each for of in client.all_heard.values() for each in of)
    lines, words = logged(stage.folder)
    async with stage.database() as db:
        texts |= {**await stored(db), "the words to a person": words}
    return History(
        calls=gathering.calls(clients),
        log=log,
        dead=gathering.dead(dead),
        answers=gathering.answers(clients),
        committed=gathering.told(committed),
        uncommitted=gathering.told(uncommitted),
        **await gathering.tables(stage),
        logs=tuple(lines),
        texts=texts,
    )


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
