"""I2 to I4: what was committed, what was said of it, and in which order."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Row, Told
from tests.chaos.checker.kinds import EVENTS_TOPIC, STATES_TOPIC


def bijection(history: History) -> Iterator[Finding]:
    """I2: each row once on its topic, with the same bytes and key; what waits is not said yet."""
    rows = {each.message.id: each.message for each in history.written}
    times = Counter(each.message.id for each in history.committed)
    for id_ in rows.keys() - times.keys() - history.waiting:
        yield Finding(Invariant.I2, "lost", id_)
    for id_ in history.waiting & times.keys():
        yield Finding(Invariant.I2, "said and still waiting", id_)
    for id_, count in times.items():
        if count > 1:
            yield Finding(Invariant.I2, "said twice", id_)
    altered = {
        each.message.id
        for each in history.committed
        if each.message.id in rows and each.message != rows[each.message.id]
    }
    for id_ in altered:
        yield Finding(Invariant.I2, "said otherwise than written", id_)
    yield from _moved(history)


def _moved(history: History) -> Iterator[Finding]:
    places = defaultdict[tuple[str, str], set[int]](set)
    for each in history.committed:
        places[each.message.topic, each.message.key].add(each.partition)
    for (topic, key), partitions in places.items():
        if len(partitions) > 1:
            yield Finding(Invariant.I2, "one key on two partitions", f"{topic} {key}")


def committed_and_whole(history: History) -> Iterator[Finding]:
    """I3: nothing that no transaction wrote, and of a command's events to one user all or none."""
    rows = {each.message.id for each in history.written}
    told = {each.message.id for each in history.committed}
    everything = {each.message.id for each in history.uncommitted}
    for id_ in told - rows:
        yield Finding(Invariant.I3, "said and never committed", id_)
    for id_ in everything - told - rows:
        yield Finding(Invariant.I3, "an aborted record that was never committed", id_)
    for id_ in told - everything:
        yield Finding(Invariant.I3, "only read_committed readers get it", id_)
    for (cause, user), ids in _batches(history).items():
        if told & ids and history.waiting & (ids - told):
            yield Finding(Invariant.I3, "torn", f"{cause} {user}")


def _batches(history: History) -> dict[tuple[str, str], set[str]]:
    """The events that one command made of one user."""
    batches = defaultdict[tuple[str, str], set[str]](set)
    for each in history.written:
        if each.message.topic == EVENTS_TOPIC:
            batches[each.message.cause, each.message.user].add(each.message.id)
    return batches


def ordered(history: History) -> Iterator[Finding]:
    """I4: each user's events, as committed and as said; their states as said too."""
    by_user = defaultdict[tuple[str, str], list[Row]](list)
    for row in history.written:
        by_user[row.message.topic, row.message.key].append(row)
    said = defaultdict[tuple[str, str], list[Told]](list)
    for each in history.committed:
        said[each.message.topic, each.message.key].append(each)
    for (topic, user), rows in by_user.items():
        if topic == EVENTS_TOPIC:
            yield from _of_user(user, sorted(rows, key=lambda row: row.position))
    for (topic, user), told in said.items():
        if topic in {EVENTS_TOPIC, STATES_TOPIC}:
            yield from _as_said(user, told, by_user[topic, user])


def _of_user(user: str, rows: list[Row]) -> Iterator[Finding]:
    sequences = [row.message.sequence for row in rows]
    kinds = [row.message.kind for row in rows]
    if len(set(sequences)) < len(sequences):
        yield Finding(Invariant.I4, "one number twice", user)
    elif sorted(sequences) != list(range(1, len(rows) + 1)):
        yield Finding(Invariant.I4, "a gap", user)
    elif sequences != sorted(sequences):
        yield Finding(Invariant.I4, "numbered otherwise than committed", user)
    if "UserCreated" in kinds and kinds.index("UserCreated") > 0:
        yield Finding(Invariant.I4, "created after something else", user)
    if "UserErased" in kinds and kinds.index("UserErased") < len(kinds) - 1:
        yield Finding(Invariant.I4, "lives on after the erasure", user)
    yield from _between(user, rows)


def _between(user: str, rows: list[Row]) -> Iterator[Finding]:
    """A command's events of one user stand side by side."""
    causes = [row.message.cause for row in rows]
    runs = [one for one, before in zip(causes, [None, *causes], strict=False) if one != before]
    for cause, count in Counter(runs).items():
        if count > 1:
            yield Finding(Invariant.I3, "split by another command", f"{cause} {user}")


def _as_said(user: str, told: list[Told], rows: list[Row]) -> Iterator[Finding]:
    """In the order of offsets; the first time of each counts, twice is I2's."""
    position = {row.message.id: row.position for row in rows}
    in_order = sorted(told, key=lambda each: (each.partition, each.offset))
    ids = [id_ for id_ in dict.fromkeys(each.message.id for each in in_order) if id_ in position]
    one_place = len({each.partition for each in told}) == 1
    if one_place and ids != sorted(ids, key=position.__getitem__):
        yield Finding(Invariant.I4, "said otherwise than committed", user)
