"""What nobody may read anywhere: all secrets that a run has made, sent or heard."""

from collections.abc import Sequence

from tests.chaos.run.client import Client
from tests.chaos.run.operator import Operator
from tests.chaos.run.people import People
from tests.chaos.run.stage import Stage
from tests.rig.post import codes_of

_ANY_PAGE = r"[\w-]+"


def canaries(
    stage: Stage, clients: Sequence[Client], people: People, operator: Operator
) -> tuple[str, ...]:
    """Passwords, tokens, mailed codes, proofs and the master key.

    Of a token only the last part, without which it is good for nothing: what stands before it is
    partly the same in many.
    """
    found = people.secrets | operator.secrets | {*codes_of(stage.post.taken, _ANY_PAGE)}
    for each in clients:
        found |= each.secrets
    return tuple(sorted({each.rpartition(".")[2] for each in found}))
