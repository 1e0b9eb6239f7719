"""Keys of every kind: a key gives order and nothing else, so every one is taken."""

from collections.abc import Iterator
from random import Random

from authbus_service.core.ids import new_id
from tests.fuzz.case import REFUSED, Case, Family, Make, Try, table
from tests.fuzz.scene import ENDED, HANDLED, Scene


def keyed(key: bytes | None, *among: str) -> Make:
    return lambda scene: Try.of(scene.either()[0].but(key=key), *(among or (HANDLED, ENDED)))


def secret(scene: Scene) -> Try:
    return Try.of(scene.either()[0].but(key=scene.canary.encode()), HANDLED, ENDED)


NAMED = table(
    [
        ("none", keyed(None)),
        ("empty", keyed(b"")),
        ("bytes", keyed(b"\xff\0")),
        ("long", keyed(b"k" * 60_000)),
        ("another user", keyed(str(new_id()).encode())),
        ("another user's as bytes", keyed(new_id().bytes)),
        ("UTF-16", keyed("key".encode("utf-16"))),
        ("lines", keyed(b"a\r\nb")),
        ("a secret", secret),
        ("a mebibyte", keyed(bytes(1024 * 1024), REFUSED)),
    ]
)


def more(random: Random) -> Iterator[Case]:
    number = 0
    while True:
        number += 1
        key = random.randbytes(random.choice([1, 8, 16, 100, 5000, 50_000]))
        yield Case(f"chance {number}", keyed(key))


KEYS = Family("keys", 60, NAMED, more)
