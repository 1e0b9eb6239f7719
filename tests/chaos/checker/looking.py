"""I7: a token that is checked offline is refused once its session's end can be known there."""

from collections.abc import Iterator, Mapping

from tests.chaos.checker.ends import ends_said, ends_told
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Look
from tests.chaos.checker.linearizing import NEVER


def is_known(look: Look, told: Mapping[str, float]) -> bool:
    """Whether all that ended by then is known to the one who looks."""
    return look.knows > told.get(look.session, NEVER)


def looks(history: History) -> Iterator[Finding]:
    """Judge each look at a token by what its checker says that it knows, and by the time."""
    told, said = ends_told(history), ends_said(history)
    for look in history.looks:
        for rule in _broken(look, told, history.staleness):
            yield Finding(Invariant.I7, rule, look.session)
        if look.revoked and look.session not in said:
            rule = "a token is revoked although its session never ended"
            yield Finding(Invariant.I7, rule, look.session)


def _broken(look: Look, told: Mapping[str, float], staleness: float) -> Iterator[str]:
    """A checker that knows nothing new takes nothing any more."""
    if look.taken and is_known(look, told):
        yield "a token is taken although its session's end is known"
    elif look.taken and look.at > told.get(look.session, NEVER) + staleness:
        yield "a token is taken long after its session's end"
