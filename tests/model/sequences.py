"""Plays by a seed: cheaper than Hypothesis's, and the same again under the same number."""

import random
from collections import Counter

from authbus.commands import LogIn
from tests.model.leading import leads
from tests.model.machine import LOOKED_UP
from tests.model.play import PAUSES, SHORTLY, Play
from tests.model.pure import PureService
from tests.model.real import RealService
from tests.model.repeating import come_again, come_late
from tests.model.service import Service
from tests.model.table import RULES

_KINDS = [each for each in RULES if each not in LOOKED_UP]
_SWEEP, _AGAIN = 0.05, 0.1
# A play that has few kinds of commands, people or pauses gets further into them.
_FEW = 10
_STUMBLES = (False, False, True)
_PAUSES = (0.1, 0.3)


def played(seed: int, service: Service | None = None, *, steps: int = 30) -> Counter[str]:
    """A play on this service, or on decide and apply alone; what was answered and told in it.

    Where there is a database, users are looked for too, and commands come again.

    Raises AssertionError, which names the seed.
    """
    chance, is_real = random.Random(seed), isinstance(service, RealService)
    play = Play(service or PureService(), chance.choice, stumbles=chance.choice(_STUMBLES))
    kinds = [LogIn, *chance.sample([*RULES] if is_real else _KINDS, _FEW)]
    pauses, often = chance.choice((PAUSES, SHORTLY)), chance.choice(_PAUSES)
    try:
        play.begin()
        for _ in range(steps):
            if chance.random() < often:
                play.wait(chance.choice(pauses))
            if chance.random() < _SWEEP:
                play.sweep()
            if isinstance(service, RealService) and chance.random() < _AGAIN:
                come_again(play, service)
                come_late(play, service, chance.choice(kinds))
            play.step(chance.choice([each for each in kinds if leads(each, play.model)]))
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    return play.met
