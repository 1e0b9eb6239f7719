"""The cycle collector of a process that serves."""

import subprocess
import sys

_WHAT_WAS_THERE = """
import gc
from authbus_service.core import garbage
there = {"what": []}
there["itself"] = there
garbage.leave_alone()
assert not any(each is there for each in gc.get_objects())
"""
_WHAT_IS_LEFT_BEHIND = """
import weakref
from authbus_service.core import garbage
class Left: pass
garbage.leave_alone()
left = Left()
left.itself = left
seen = weakref.ref(left)
del left
others = [[] for _ in range(30_000)]
assert seen() is None
"""


def test_what_was_there_is_not_looked_at_again() -> None:
    subprocess.run([sys.executable, "-c", _WHAT_WAS_THERE], check=True)


def test_a_cycle_that_is_left_behind_later_is_collected() -> None:
    subprocess.run([sys.executable, "-c", _WHAT_IS_LEFT_BEHIND], check=True)
