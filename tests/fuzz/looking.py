"""What must be so in the end: nothing lags, nothing shows, each line of the log is one."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.topics import COMMAND_TOPICS, TOPICS, replies
from tests.fuzz.ear import CLIENTS
from tests.fuzz.stage import Stage
from tests.rig.canary import forms

_BURIED, _FAILED = "dead letter", "command failed"
# What is said of a database that refuses, of mails where there is no server for them, and of a
# broker that has a gigabyte to unpack; that each answer came is seen elsewhere.
_PASSING = frozenset(
    {
        *(_BURIED, _FAILED, "group failed", "command waits", "a mail waits"),
        *("the relay starts over", "reply lost"),
    }
)
_USUAL = frozenset({"debug", "info"})


async def looked(stage: Stage) -> list[str]:
    """All that is wrong in the end."""
    lag = await stage.lag()
    found = [f"{place} is {behind} behind" for place, behind in lag.items()]
    found += [] if stage.is_alive else ["the service has ended"]
    return found + _of_the_log(stage) + await _sightings(stage)


def _of_the_log(stage: Stage) -> list[str]:
    """Reading it has shown that each line is one JSON object of ASCII."""
    lines = stage.lines()[stage.first_line :]
    events = Counter(line["event"] for line in lines)
    odd = Counter(
        line["event"]
        for line in lines
        if line["level"] not in _USUAL and line["event"] not in _PASSING and _is_ours(line)
    )
    buried = stage.ear.buried
    found = [f"the log says {n} times: {event}" for event, n in odd.items()]
    for event, n in ((_BURIED, buried.total()), (_FAILED, buried["failed"])):
        if events[event] != n:
            found.append(f"{events[event]} lines of {n} for: {event}")
    return found


def _is_ours(line: dict[str, Any]) -> bool:
    return str(line["module"]).startswith("authbus")


async def _sightings(stage: Stage) -> list[str]:
    """Where the canary shows, in whatever form."""
    wanted = forms(stage.scene.canary)
    places = {
        "the log": _any_in([stage.log.read_bytes()], wanted),
        **{name: _any_in(held, wanted) async for name, held in _tables(stage)},
        **{topic: _any_in(held, wanted) async for topic, held in _topics(stage)},
    }
    return [f"a secret shows in {place}" for place, shows in places.items() if shows]


def _any_in(texts: Iterable[bytes], wanted: Iterable[bytes]) -> bool:
    whole = b"\n".join(texts)
    return any(form in whole for form in wanted)


async def _tables(stage: Stage) -> AsyncGenerator[tuple[str, list[bytes]]]:
    names = await stage.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    for name in (row["name"] for row in names):
        rows = await stage.rows(f'SELECT t::text AS row FROM "{name}" t')
        yield f"table {name}", [row["row"].encode() for row in rows]


async def _topics(stage: Stage) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """All but those of commands, where some were sent in the clear."""
    others = [each for each in TOPICS if each not in COMMAND_TOPICS]
    for topic in (*others, *(replies(each) for each in CLIENTS)):
        name = topic.name(stage.namespace)
        yield name, await _all_of(stage.servers, name, topic.partitions)


async def _all_of(servers: str, name: str, partitions: int) -> list[bytes]:
    places = [TopicPartition(name, n) for n in range(partitions)]
    held: list[bytes] = []
    async with AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest") as reader:
        reader.assign(places)
        ends = await reader.end_offsets(places)
        while any([await reader.position(each) < ends[each] for each in places]):
            for found in (await reader.getmany(timeout_ms=50)).values():
                for record in found:
                    held += [record.key or b"", record.value or b""]
                    held += [part for n, v in record.headers for part in (n.encode(), v or b"")]
    return held
