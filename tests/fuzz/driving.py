"""Sends each case of a class alone and between good records, and says what became of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from time import monotonic

from authbus.topics import CREDENTIALS, SESSIONS
from tests.fuzz.case import REFUSED, Case, Family, Item, brief
from tests.fuzz.laying import BETWEEN, GOOD, Entry, Streams, Trial, good, lay_alone, lay_between
from tests.fuzz.sending import Sent, send_all
from tests.fuzz.stage import Stage
from tests.rig.memory import watched

MIB = 1024 * 1024
MOST_GROWTH = 300 * MIB
STALL = 2.0
_PATIENCE = 60.0
# On a machine where good records alone take longer than this, a long wait tells of the machine.
_SLOW = STALL / 5
_TRIES = 3
_LATE_SECONDS = 0.2
_KEPT = 3_000
_ABREAST = 250


@dataclass
class Result:
    """What became of a class. `growth` is the service's memory, in bytes.

    `again` counts what was sent once more because the machine was too slow to tell a stall, `void`
    says where that did not help: nothing is known of stalls then.
    """

    family: Family
    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    slowest: float = 0.0
    slowest_good: float = 0.0
    growth: int = 0
    seconds: float = 0.0
    again: int = 0
    wrong: list[str] = field(default_factory=list[str])
    void: list[str] = field(default_factory=list[str])


async def calibrate(stage: Stage) -> float:
    """How long good records need here and now, beside nothing bad."""
    slowest = 0.0
    for _ in range(3):
        streams: Streams = defaultdict(list)
        for topic in (SESSIONS, CREDENTIALS):
            streams[topic.suffix, BETWEEN] = [good(stage.scene, topic) for _ in range(50)]
        await _sent(stage, streams)
        trials = [trial for entries in streams.values() for _, trial in entries]
        await _heard(stage, trials)
        for trial in trials:
            assert said(stage, trial) in trial.ends
            stage.ear.forget(trial.ids, trial.places)
        slowest = max(slowest, *(trial.took for trial in trials))
    return slowest


async def drive(stage: Stage, family: Family, seed: str, count: int | None = None) -> Result:
    """Do all of a class: those with a name, or `count`."""
    result, began = Result(family), monotonic()
    cases = family.cases(Random(f"{seed} {family.name}"), count)
    tried: list[Trial] = []
    stage.ear.clear()
    async with family.around(stage):
        with watched(stage.process.child.pid, each=0.01) as memory:
            while chunk := list(islice(cases, family.abreast)):
                tried += await _in_time(stage, family, chunk, result)
                result.cases += len(chunk)
                if len(tried) > _KEPT:
                    _judge(stage, tried, result)
                    tried.clear()
    await asyncio.sleep(_LATE_SECONDS)
    _judge(stage, tried, result)
    result.growth, result.seconds = memory.growth, monotonic() - began
    result.wrong += [*_of_the_service(stage, result), *await family.looked(stage)]
    return result


def _of_the_service(stage: Stage, result: Result) -> Iterator[str]:
    """What is wrong with all of a class together."""
    for what, took in (("a bad", result.slowest), ("a good", result.slowest_good)):
        if took > STALL:
            yield f"{what} record waited {took:.1f} s of {STALL:.1f} s"
    if result.growth >= MOST_GROWTH:
        yield f"the service grew by {result.growth // MIB} MiB"
    if not stage.is_alive:
        yield "the service has ended"
    if left := stage.ear.all():
        yield f"said of nothing that was waited for, or too late: {brief(left)}"


def said(stage: Stage, trial: Trial) -> list[str]:
    heard = stage.ear.of(trial.ids, trial.places)
    return [each.what for each in heard] + [REFUSED] * trial.refused


async def _in_time(
    stage: Stage, family: Family, chunk: Sequence[Case], result: Result
) -> list[Trial]:
    """Send these; where something seems to stall, good ones right behind them tell whose fault.

    On a machine that was too slow all are sent again, and count as ever but for their times.
    """
    tried: list[Trial] = []
    slowest = alone = 0.0
    for _ in range(_TRIES):
        trials = await _abreast(stage, family, chunk)
        tried += trials
        slowest = max(each.took for each in trials)
        if slowest <= STALL or (alone := await calibrate(stage)) <= _SLOW:
            return tried
        result.again += 1
        for each in trials:
            each.timed = False
    result.void.append(
        f"{chunk[0].name} and what went with it: the machine is too slow to tell a stall, also the"
        f" {_TRIES}rd time: {slowest:.1f} s, and good records alone took {alone:.1f} s of {_SLOW} s"
    )
    return tried


async def _abreast(stage: Stage, family: Family, chunk: Sequence[Case]) -> list[Trial]:
    streams: Streams = defaultdict(list)
    lay_alone(stage.scene, chunk, streams)
    lay_between(stage.scene, family, chunk, streams)
    await stage.arm()
    await _sent(stage, streams)
    entries = {id(trial): trial for each in streams.values() for _, trial in each}
    await _heard(stage, [*entries.values()])
    return [*entries.values()]


async def _sent(stage: Stage, streams: Streams) -> None:
    async def send(suffix: str, partition: int, entries: Sequence[Entry]) -> None:
        items = [item for item, _ in entries]
        name = f"{stage.namespace}.{suffix}"
        for (item, trial), each in zip(
            entries, await send_all(stage.wire, name, partition, items), strict=True
        ):
            _note(trial, item, each, partition)

    await asyncio.gather(*(send(*place, entries) for place, entries in streams.items()))


def _note(trial: Trial, item: Item, sent: Sent, partition: int) -> None:
    trial.sent = sent.at
    trial.ids |= set(item.ids)
    if sent.offset is None:
        trial.refused += 1
    else:
        trial.places += [(item.topic.suffix, partition, sent.offset + end) for end in item.ends]


async def _heard(stage: Stage, trials: Sequence[Trial]) -> None:
    """Wait for the ends of all of them, and note how long each took."""
    left = list(trials)

    def enough() -> bool:
        left[:] = [each for each in left if len(said(stage, each)) < each.ends.least]
        return not left

    await stage.ear.until(enough, within=_PATIENCE)
    # In a batch of thousands nothing stalls as long as so many of its records get on.
    stretches = max(1.0, sum(each.ends.least for each in trials) / _ABREAST)
    for trial in trials:
        times = [each.at for each in stage.ear.of(trial.ids, trial.places)]
        trial.took = (max(times, default=trial.sent) - trial.sent) / stretches


def _judge(stage: Stage, tried: Iterable[Trial], result: Result) -> None:
    """Hold each against what it may be, and forget it."""
    for trial in tried:
        outcomes = said(stage, trial)
        took = trial.took if trial.timed else 0.0
        if trial.ends is GOOD:
            result.slowest_good = max(result.slowest_good, took)
        else:
            result.slowest = max(result.slowest, took)
            result.outcomes.update(outcomes or ["nothing"])
        if outcomes not in trial.ends:
            result.wrong.append(f"{trial.name}: {brief(outcomes)}, not {trial.ends}")
        stage.ear.forget(trial.ids, trial.places)
