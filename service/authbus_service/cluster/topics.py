"""Topics made and checked from the one declaration in `authbus.topics`.

`apply` creates what is missing and mends settings. It never changes the number of partitions: that
moves keys to other partitions, so that a user's events would no longer be read in order.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authbus.errors import APPLY
from authbus.topics import TOPICS, Topic, replies
from authbus_service.cluster.admin import Admin, Existing, NewlyWanted, Setting
from authbus_service.cluster.errors import ClusterError, Finding, TopicsError

_REPLICAS = 3
_PAUSES_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4)
MISSING = "is missing"
# Some managed clusters refuse it; the consumers bound decompression themselves as well.
_NICE_TO_HAVE = frozenset({"compression.type"})
_TRIES_OF_NICE = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it should be. `exact`: more partitions than declared are wrong too."""

    name: str
    partitions: int
    replicas: int
    config: Mapping[str, str]
    exact: bool

    def new(self) -> NewlyWanted:
        """The same as an order to create it."""
        return NewlyWanted(self.name, self.partitions, self.replicas, self.config)


def declared(namespace: str, clients: Iterable[str], brokers: int) -> list[Wanted]:
    """Every topic of a namespace and its clients, for a cluster of so many brokers."""
    replicas = min(_REPLICAS, brokers)
    durable = {"min.insync.replicas": "2"} if replicas == _REPLICAS else {}
    topics: list[Topic] = [*TOPICS, *map(replies, clients)]
    return [
        Wanted(
            name=topic.name(namespace),
            partitions=topic.partitions,
            replicas=replicas,
            config={**topic.config, **durable},
            exact=topic.partitions == 1,
        )
        for topic in topics
    ]


async def check(admin: Admin, wanted: Sequence[Wanted]) -> list[Finding]:
    """What is not as declared: missing topics, partitions, replicas, settings."""
    existing = await admin.topics([each.name for each in wanted])
    settings = await admin.settings(existing) if existing else {}
    findings: list[Finding] = []
    for each in wanted:
        found = existing.get(each.name)
        if found is None:
            findings.append(Finding(each.name, MISSING, APPLY))
        else:
            findings += _compare(admin, each, found, settings[each.name])
    return findings


async def apply(admin: Admin, wanted: Sequence[Wanted]) -> list[Finding]:
    """Create what is missing, mend settings; returns what is left, none of it fatal.

    Raises TopicsError for what it cannot mend. Goes round until nothing is left to mend, since a
    broker learns a moment later of what the controller has done.
    """
    left: list[Finding] = []
    for tried, pause in enumerate(_PAUSES_SECONDS):
        left = await check(admin, wanted)
        matter = [finding for finding in left if finding.fatal or tried < _TRIES_OF_NICE]
        if not any(finding.cure == APPLY for finding in matter):
            break
        await _mend(admin, wanted)
        await asyncio.sleep(pause)
    if any(finding.fatal for finding in left):
        raise TopicsError(left)
    return left


async def _mend(admin: Admin, wanted: Sequence[Wanted]) -> None:
    existing = await admin.topics([each.name for each in wanted])
    missing = [each.new() for each in wanted if each.name not in existing]
    if missing:
        await admin.create(missing)
    settings = await admin.settings(existing) if existing else {}
    for each in wanted:
        found = settings.get(each.name)
        if found is not None and (wrong := _wrong(each, found)):
            own = {name: setting.value for name, setting in found.items() if setting.own}
            try:
                await admin.set(each.name, {**own, **each.config})
            except ClusterError:
                if wrong.keys() - _NICE_TO_HAVE:
                    raise


def _wrong(wanted: Wanted, found: Mapping[str, Setting]) -> dict[str, str]:
    """The settings that differ, with the values they have now."""
    now = {name: found[name].value if name in found else "" for name in wanted.config}
    return {name: value for name, value in now.items() if value != wanted.config[name]}


def _compare(
    admin: Admin, wanted: Wanted, existing: Existing, settings: Mapping[str, Setting]
) -> list[Finding]:
    return [
        *_partitions(admin, wanted, existing),
        *_replicas(wanted, existing),
        *(
            Finding(
                wanted.name,
                f"{name} is {value or 'not set'}, not {wanted.config[name]}",
                APPLY,
                fatal=name not in _NICE_TO_HAVE,
            )
            for name, value in _wrong(wanted, settings).items()
        ),
    ]


def _partitions(admin: Admin, wanted: Wanted, existing: Existing) -> Iterable[Finding]:
    has, needs = existing.partitions, wanted.partitions
    problem = f"has {has} partitions, not {needs}"
    if has < needs:
        cure = (
            f"kafka-topics.sh --bootstrap-server {admin.servers} --alter --topic {wanted.name} "
            f"--partitions {needs}, with Strimzi the KafkaTopic (commands may come meanwhile; on "
            "other topics keys move to other partitions: do it while nothing is said)"
        )
        yield Finding(wanted.name, problem, cure)
    elif has > needs and wanted.exact:
        cure = "delete the topic when nothing on it is needed, then " + APPLY
        yield Finding(wanted.name, problem, cure)


def _replicas(wanted: Wanted, existing: Existing) -> Iterable[Finding]:
    if existing.replicas < wanted.replicas:
        yield Finding(
            wanted.name,
            f"has {existing.replicas} replicas, not {wanted.replicas}: a lost broker may lose it",
            "kafka-reassign-partitions.sh",
            fatal=False,
        )
