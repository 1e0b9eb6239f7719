"""How much memory something takes."""

import ctypes
import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil


class Memory:
    """A process's memory as a thread has seen it, in bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._first = self._most = self._now()

    @property
    def growth(self) -> int:
        return self._most - self._first

    def look(self) -> None:
        self._most = max(self._most, self._now())

    def _now(self) -> int:
        return self._process.memory_info().rss


@contextmanager
def watched(pid: int | None = None, *, each: float = 0.002) -> Generator[Memory]:
    """Watch a process, or this one, from a thread: a decompression holds the event loop."""
    memory, over = Memory(psutil.Process(pid)), threading.Event()

    def sample() -> None:
        while not over.wait(each):
            memory.look()

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def give_back() -> None:
    """Let go of what nobody needs any more: else what is taken next would not be seen to grow."""
    gc.collect()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


@contextmanager
def growth_below(most: int) -> Generator[None]:
    """Fail when this process grows by more."""
    with watched() as memory:
        yield
    assert memory.growth < most
