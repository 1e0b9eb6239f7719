"""Sends each case of a class alone and between good records, and says what became of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from time import monotonic
from uuid import UUID

from authbus.topics import CREDENTIALS, SESSIONS, Topic
from tests.fuzz.case import REFUSED, Case, Ends, Family, Item, Try, brief
from tests.fuzz.ear import Place
from tests.fuzz.scene import ENDED, HANDLED
from tests.fuzz.sending import Sent, send_all
from tests.fuzz.stage import Stage
from tests.rig.memory import watched

MIB = 1024 * 1024
MOST_GROWTH = 300 * MIB
STALL = 2.0
_PATIENCE = 60.0
_GOOD = Ends(frozenset({HANDLED, ENDED}))
# What one record may need beside many others, on a machine that has other work too.
_TIMES = 5.0
_LATE_SECONDS = 0.2
_KEPT = 3_000
_ABREAST = 250
# The partitions on which records go between good ones, and alone.
_BETWEEN, _ALONE = 0, 1


@dataclass(slots=True)
class Trial:
    """One case sent once. `ids` and `places` are where its ends are heard."""

    name: str
    ends: Ends
    ids: set[UUID] = field(default_factory=set[UUID])
    places: list[Place] = field(default_factory=list[Place])
    refused: int = 0
    sent: float = 0.0
    took: float = 0.0


@dataclass
class Result:
    """What became of a class. `growth` is the service's memory, in bytes."""

    family: Family
    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    slowest: float = 0.0
    slowest_good: float = 0.0
    limit: float = STALL
    growth: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list[str])


Entry = tuple[Item, Trial]
Streams = dict[tuple[str, int], list[Entry]]


async def calibrate(stage: Stage) -> float:
    """How long good records need here and now; see `limit_of`."""
    slowest = 0.0
    for _ in range(3):
        streams: Streams = defaultdict(list)
        for topic in (SESSIONS, CREDENTIALS):
            streams[topic.suffix, _BETWEEN] = [_good(stage, topic) for _ in range(50)]
        await _sent(stage, streams)
        trials = [trial for entries in streams.values() for _, trial in entries]
        await _heard(stage, trials)
        for trial in trials:
            assert said(stage, trial) in trial.ends
            stage.ear.forget(trial.ids, trial.places)
        slowest = max(slowest, *(trial.took for trial in trials))
    return slowest


def limit_of(slowest: float) -> float:
    """What is a stall: more than `STALL`, or, where good records need long, some times as long."""
    return max(STALL, _TIMES * slowest)


async def drive(stage: Stage, family: Family, seed: str, count: int | None = None) -> Result:
    """Do all of a class: those with a name, or `count`."""
    result, began = Result(family), monotonic()
    cases = family.cases(Random(f"{seed} {family.name}"), count)
    tried: list[Trial] = []
    stage.ear.clear()
    async with family.around(stage):
        with watched(stage.process.child.pid, each=0.01) as memory:
            while chunk := list(islice(cases, family.abreast)):
                tried += await _abreast(stage, family, chunk)
                result.cases += len(chunk)
                if len(tried) > _KEPT:
                    _judge(stage, tried, result)
                    tried.clear()
    await asyncio.sleep(_LATE_SECONDS)
    _judge(stage, tried, result)
    result.growth, result.seconds = memory.growth, monotonic() - began
    result.limit = stage.limit
    if max(result.slowest, result.slowest_good) > stage.limit:
        # The machine may have more to do than at the start: good records right behind it tell.
        result.limit = max(stage.limit, limit_of(await calibrate(stage)))
    result.wrong += [*_of_the_service(stage, result), *await family.looked(stage)]
    return result


def _of_the_service(stage: Stage, result: Result) -> Iterator[str]:
    """What is wrong with all of a class together."""
    for what, took in (("a bad", result.slowest), ("a good", result.slowest_good)):
        if took > result.limit:
            yield f"{what} record waited {took:.1f} s of {result.limit:.1f} s"
    if result.growth >= MOST_GROWTH:
        yield f"the service grew by {result.growth // MIB} MiB"
    if not stage.is_alive:
        yield "the service has ended"
    if left := stage.ear.all():
        yield f"said of nothing that was waited for, or too late: {brief(left)}"


def said(stage: Stage, trial: Trial) -> list[str]:
    heard = stage.ear.of(trial.ids, trial.places)
    return [each.what for each in heard] + [REFUSED] * trial.refused


async def _abreast(stage: Stage, family: Family, chunk: Sequence[Case]) -> list[Trial]:
    streams: Streams = defaultdict(list)
    _lay_alone(stage, chunk, streams)
    _lay_between(stage, family, chunk, streams)
    await stage.arm()
    await _sent(stage, streams)
    entries = {id(trial): trial for each in streams.values() for _, trial in each}
    await _heard(stage, [*entries.values()])
    return [*entries.values()]


def _lay_alone(stage: Stage, chunk: Sequence[Case], streams: Streams) -> None:
    for case in chunk:
        _lay(f"{case.name}, alone", case.make(stage.scene), streams, _ALONE)


def _lay_between(stage: Stage, family: Family, chunk: Sequence[Case], streams: Streams) -> None:
    """Between good records of the same key, and those between good ones of another."""
    topics: dict[str, Topic] = {}
    for number, case in enumerate(chunk):
        made = case.make(stage.scene)
        here = {item.topic.suffix: item for item in made.items}
        topics |= {suffix: item.topic for suffix, item in here.items()}
        if number % family.apart == 0:
            _surround(stage, here, streams)
        _lay(f"{case.name}, between good ones", made, streams, _BETWEEN)
        if family.apart == 1:
            _surround(stage, here, streams, others=False)
    for topic in topics.values():
        streams[topic.suffix, _BETWEEN].append(_good(stage, topic))


def _surround(
    stage: Stage, here: dict[str, Item], streams: Streams, *, others: bool = True
) -> None:
    for item in here.values():
        topic = item.topic
        if others:
            streams[topic.suffix, _BETWEEN].append(_good(stage, topic))
        key = getattr(item.what, "key", None)
        if key is None or len(key) < 1000:
            streams[topic.suffix, _BETWEEN].append(_good(stage, topic, key))


def _lay(name: str, made: Try, streams: Streams, partition: int) -> None:
    trial = Trial(name, made.ends)
    for item in made.items:
        streams[item.topic.suffix, partition].append((item, trial))


def _good(stage: Stage, topic: Topic, key: bytes | None = None) -> Entry:
    item = stage.scene.good(topic, key or stage.scene.key())
    return item, Trial("a good record", _GOOD)


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

    await stage.ear.until(enough, within=max(_PATIENCE, 2 * stage.limit))
    # In a batch of thousands nothing stalls as long as so many of its records get on.
    stretches = max(1.0, sum(each.ends.least for each in trials) / _ABREAST)
    for trial in trials:
        times = [each.at for each in stage.ear.of(trial.ids, trial.places)]
        trial.took = (max(times, default=trial.sent) - trial.sent) / stretches


def _judge(stage: Stage, tried: Iterable[Trial], result: Result) -> None:
    """Hold each against what it may be, and forget it."""
    for trial in tried:
        outcomes = said(stage, trial)
        if trial.ends is _GOOD:
            result.slowest_good = max(result.slowest_good, trial.took)
        else:
            result.slowest = max(result.slowest, trial.took)
            result.outcomes.update(outcomes or ["nothing"])
        if outcomes not in trial.ends:
            result.wrong.append(f"{trial.name}: {brief(outcomes)}, not {trial.ends}")
        stage.ear.forget(trial.ids, trial.places)
