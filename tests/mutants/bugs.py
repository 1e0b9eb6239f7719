"""All the bugs, from the record on a topic to the token in a caller's hand."""

from tests.mutants.bug import Bug
from tests.mutants.entering import BELIEVING, GUESSING, OPENING
from tests.mutants.handling import COMMITTING, READING
from tests.mutants.repairing import REPAIRING
from tests.mutants.telling import CHECKING, DECIDING, SAYING

BUGS: list[Bug] = [
    *READING,
    *COMMITTING,
    *SAYING,
    *DECIDING,
    *CHECKING,
    *OPENING,
    *BELIEVING,
    *GUESSING,
    *REPAIRING,
]
