"""What makes a tag of argon2id, whoever compiled it."""

from collections.abc import Callable
from dataclasses import dataclass

Tag = Callable[[bytes, bytes, int, int, int], bytes]


@dataclass(frozen=True, slots=True)
class Library:
    """A library that this processor runs; `tag` is safe to call from many threads.

    `tag(password, salt, memory_kib, passes, length)`: raises ValueError for what it refuses,
    MemoryError.
    """

    name: str
    tag: Tag
