"""Plays by a seed: cheaper than Hypothesis's, and the same again under the same number."""

import random
from collections import Counter

from tests.model.leading import leads
from tests.model.machine import LOOKED_UP
from tests.model.play import PAUSES, Play
from tests.model.pure import PureService
from tests.model.table import RULES

_KINDS = [each for each in RULES if each not in LOOKED_UP]
_PAUSE, _SWEEP = 0.15, 0.05


def played(seed: int, *, steps: int = 30) -> Counter[str]:
    """A play on decide and apply; what was answered and told in it.

    Raises AssertionError, which names the seed.
    """
    chance = random.Random(seed)
    play = Play(PureService(), chance.choice)
    try:
        play.begin()
        for _ in range(steps):
            if chance.random() < _PAUSE:
                play.wait(chance.choice(PAUSES))
            if chance.random() < _SWEEP:
                play.sweep()
            play.step(chance.choice([each for each in _KINDS if leads(each, play.model)]))
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    return play.met
