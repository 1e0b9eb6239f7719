"""The cycle collector of a process that has much to do.

What is there when its work begins stays until its end: modules, models, prepared statements.
To look through it again and again took a tenth of the service's CPU, and each time kept every
command waiting for up to 100 ms.
"""

import gc

_YOUNG = 20_000
_MIDDLE = 20
_OLD = 50


def leave_alone() -> None:
    """Never look again at what is there, and less often at what is made later.

    Cycles that are left behind are still found, some twenty thousand objects later.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
