"""The cycle collector of a process that serves.

What is there when a service is ready stays until its end: modules, models, prepared statements.
To look through it again and again took a tenth of the service's CPU, and each time kept every
command waiting for up to 100 ms.
"""

import gc

_YOUNG = 20_000
_MIDDLE = 20
_OLD = 50


def leave_alone() -> None:
    """Collect once, look never again at what is left, and at what is made later less often.

    Cycles that a command leaves behind are still found, some twenty thousand objects later.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
