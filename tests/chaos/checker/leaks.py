"""I10: no secret is readable, each line of the log is JSON, and nothing grows."""

import json
from collections.abc import Iterator, Sequence

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History
from tests.rig.canary import Scanner

_HOUR = 3600.0
_FEWEST = 3


def leaks(history: History) -> Iterator[Finding]:
    """Scan what was logged, said and stored; judge what is held, over time and at rest."""
    yield from _read(history)
    yield from _kept(history)


def _read(history: History) -> Iterator[Finding]:
    texts = {**history.texts, "the log": "\n".join(history.logs).encode()}
    scanner = Scanner(history.canaries)
    for name, text in texts.items():
        for number in scanner.held(text):
            yield Finding(Invariant.I10, "a secret is readable", f"{name}: secret {number}")
    for number, line in enumerate(history.logs, start=1):
        if not _is_json(line):
            yield Finding(Invariant.I10, "a line of the log is no JSON", str(number))


def _kept(history: History) -> Iterator[Finding]:
    for samples in history.samples:
        if slope(samples.points) * _HOUR > samples.most_per_hour:
            yield Finding(Invariant.I10, "grows", samples.name)
    for held in history.held:
        if held.amount > held.most:
            yield Finding(Invariant.I10, "more at rest than there may be", held.name)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much a second, by least squares; 0 for too few points to tell."""
    if len(points) < _FEWEST:
        return 0.0
    middle = sum(at for at, _ in points) / len(points)
    mean = sum(amount for _, amount in points) / len(points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    return sum((at - middle) * (amount - mean) for at, amount in points) / spread if spread else 0.0


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
