"""The exit status of the command line: what each one says, and what helps."""

import signal
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """With what a command ends."""

    DONE = 0
    LEFT = 1
    USAGE = 2
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Meaning:
    """Why a command ends so, and what helps."""

    cause: str
    cure: str


MEANINGS: dict[Exit, Meaning] = {
    Exit.DONE: Meaning(
        "Done, and nothing is left to look at; `authbus serve`: it was asked to end and has ended.",
        "None is needed.",
    ),
    Exit.LEFT: Meaning(
        "Refused, or something is left to look at; `authbus serve`: it cannot start or go on, or "
        "its watchdog has ended it.",
        "A line `authbus: ...` has cause and cure, see the refusals below. Without one the output "
        "says what is left, see the commands below. A trace is a bug: report it.",
    ),
    Exit.USAGE: Meaning(
        "Wrong usage: there is no such command or option, or a value cannot be read.",
        "`authbus COMMAND --help` names them.",
    ),
    Exit.INTERRUPTED: Meaning(
        "Ctrl-C (SIGINT) before the end; `authbus serve`: the second one, which ends it at once.",
        "Run it again: what may be ended half-way says in its help how it goes on.",
    ),
    Exit.TERMINATED: Meaning(
        "SIGTERM before the end; `authbus serve`: the second one, which ends it at once.",
        "Give it longer to end by itself: it drains first. Nothing is lost.",
    ),
}


def by_signal(number: signal.Signals) -> Exit:
    """How a process ends that one of SIGINT and SIGTERM ends at once."""
    return Exit(128 + number)
