"""I6: a replay of all commands, live or cold, changes nothing."""

from collections.abc import Iterator

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History


def replays(history: History) -> Iterator[Finding]:
    """Compare each replay's end with its beginning; control markers are no events."""
    for replay in history.replays:
        before, after = replay.before, replay.after
        for table in sorted(before.tables.keys() | after.tables.keys()):
            if before.tables.get(table) != after.tables.get(table):
                yield Finding(Invariant.I6, "a table changed", f"{replay.name} {table}")
        for place in sorted(before.events.keys() | after.events.keys()):
            if before.events.get(place, 0) != after.events.get(place, 0):
                about = f"{replay.name} {place[0]} {place[1]}"
                yield Finding(Invariant.I6, "events came", about)
