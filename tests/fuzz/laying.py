"""Where each case of a class goes: alone onto one partition, between good records onto another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from authbus.topics import Topic
from tests.fuzz.case import Case, Ends, Family, Item, Try
from tests.fuzz.ear import Place
from tests.fuzz.scene import ENDED, HANDLED, Scene

GOOD = Ends(frozenset({HANDLED, ENDED}))
BETWEEN, ALONE = 0, 1


@dataclass(slots=True)
class Trial:
    """One case sent once. `ids` and `places` are where its ends are heard.

    It is `timed` unless the machine was too slow meanwhile.
    """

    name: str
    ends: Ends
    ids: set[UUID] = field(default_factory=set[UUID])
    places: list[Place] = field(default_factory=list[Place])
    refused: int = 0
    sent: float = 0.0
    took: float = 0.0
    timed: bool = True


Entry = tuple[Item, Trial]
Streams = dict[tuple[str, int], list[Entry]]


def lay_alone(scene: Scene, chunk: Sequence[Case], streams: Streams) -> None:
    for case in chunk:
        _lay(f"{case.name}, alone", case.make(scene), streams, ALONE)


def lay_between(scene: Scene, family: Family, chunk: Sequence[Case], streams: Streams) -> None:
    """Between good records of the same key, and those between good ones of another."""
    topics: dict[str, Topic] = {}
    for number, case in enumerate(chunk):
        made = case.make(scene)
        here = {item.topic.suffix: item for item in made.items}
        topics |= {suffix: item.topic for suffix, item in here.items()}
        if number % family.apart == 0:
            _surround(scene, here, streams)
        _lay(f"{case.name}, between good ones", made, streams, BETWEEN)
        if family.apart == 1:
            _surround(scene, here, streams, others=False)
    for topic in topics.values():
        streams[topic.suffix, BETWEEN].append(good(scene, topic))


def _surround(
    scene: Scene, here: dict[str, Item], streams: Streams, *, others: bool = True
) -> None:
    for item in here.values():
        topic = item.topic
        if others:
            streams[topic.suffix, BETWEEN].append(good(scene, topic))
        key = getattr(item.what, "key", None)
        if key is None or len(key) < 1000:
            streams[topic.suffix, BETWEEN].append(good(scene, topic, key))


def _lay(name: str, made: Try, streams: Streams, partition: int) -> None:
    trial = Trial(name, made.ends)
    for item in made.items:
        streams[item.topic.suffix, partition].append((item, trial))


def good(scene: Scene, topic: Topic, key: bytes | None = None) -> Entry:
    """A good record, and who waits for it."""
    item = scene.good(topic, key or scene.key())
    return item, Trial("a good record", GOOD)
