"""How much memory something takes."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil


@contextmanager
def growth_below(most: int) -> Generator[None]:
    """Watch this process's memory from a thread: a decompression holds the event loop."""
    process, over = psutil.Process(), threading.Event()
    seen = [process.memory_info().rss]

    def sample() -> None:
        while not over.wait(0.002):
            seen.append(process.memory_info().rss)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert max(seen) - seen[0] < most
