"""All invariants over one history."""

from tests.chaos.checker.answering import answers
from tests.chaos.checker.bounds import bounds
from tests.chaos.checker.effects import effects
from tests.chaos.checker.findings import Finding
from tests.chaos.checker.history import History
from tests.chaos.checker.leaks import leaks
from tests.chaos.checker.looking import looks
from tests.chaos.checker.offsets import offsets
from tests.chaos.checker.registers import registers
from tests.chaos.checker.replaying import replays
from tests.chaos.checker.rows import rows
from tests.chaos.checker.saying import bijection, committed_and_whole, ordered

JUDGES = (
    effects,
    bijection,
    committed_and_whole,
    ordered,
    answers,
    replays,
    registers,
    rows,
    looks,
    bounds,
    offsets,
    leaks,
)


def check(history: History) -> list[Finding]:
    """Every violation once, sorted; none is right."""
    return sorted({found for judge in JUDGES for found in judge(history)})
