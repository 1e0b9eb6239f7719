"""Bytes that are no seal: empty, null, cut, in other encodings, at random."""

from collections.abc import Callable, Iterator
from random import Random

from tests.fuzz.case import Case, Family, Make, Try, table
from tests.fuzz.scene import Scene, clear

_BLANK = b"\xef\xbb\xbf \t\r\n"
_SIZES = (1, 2, 7, 60, 700, 4000, 30_000)
_NO_UTF8 = (
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\x80",
    b"\xf4\x90\x80\x80",
)


def reason_of(value: bytes | None) -> str:
    """What is said of bytes that have not a seal's form."""
    if not value:
        return "empty"
    return "secret_exposed" if value.lstrip(_BLANK)[:1] in (b"{", b"[", b'"') else "not_sealed"


def being(value: bytes | None) -> Make:
    return made(lambda _: value)


def made(value: Callable[[Scene], bytes | None]) -> Make:
    def make(scene: Scene) -> Try:
        bad = value(scene)
        return Try.of(scene.either()[0].but(value=bad), reason_of(bad))

    return make


def sealed(change: Callable[[bytes], bytes]) -> Make:
    """A right seal, changed so that it has the form no more."""

    def make(scene: Scene) -> Try:
        draft, _ = scene.either()
        value = change(draft.value)
        return Try.of(draft.but(value=value), reason_of(value))

    return make


NAMED = table(
    [
        ("empty", being(b"")),
        ("null", being(None)),
        ("zeros", being(bytes(1000))),
        ("dots", being(b"." * 60_000)),
        ("overlong UTF-8", being(b"\xc0\xaf" * 9)),
        ("in UTF-16", made(lambda scene: clear(scene).decode().encode("utf-16"))),
        ("in the clear", made(clear)),
        ("in the clear, with a BOM", made(lambda scene: b"\xef\xbb\xbf" + clear(scene))),
        ("in the clear, as deep as fits", being(b"[" * 60_000)),
        ("a secret alone", made(lambda scene: scene.canary.encode())),
        ("half a seal", sealed(lambda value: value[: len(value) // 2])),
        ("a seal with a BOM", sealed(lambda value: b"\xef\xbb\xbf" + value)),
        ("a seal in UTF-16", sealed(lambda value: value.decode().encode("utf-16"))),
        ("a seal and a line feed", sealed(lambda value: value + b"\n")),
        ("a sixth part", sealed(lambda value: value + b".AA")),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_random, _cut, _spoilt, _exposed, _encoded]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _random(random: Random) -> Make:
    return being(random.randbytes(random.choice(_SIZES)))


def _cut(random: Random) -> Make:
    share = random.random()
    return sealed(lambda value: value[: int(share * len(value))])


def _spoilt(random: Random) -> Make:
    bad, share = random.choice(_NO_UTF8), random.random()

    def change(value: bytes) -> bytes:
        at = int(share * len(value))
        return value[:at] + bad + value[at:]

    return sealed(change)


def _exposed(random: Random) -> Make:
    before, opening = random.randbytes(0), random.choice([b"{", b"[", b'"'])
    before = bytes(random.choices(_BLANK[3:], k=random.randrange(5)))
    rest = random.randbytes(random.choice(_SIZES))
    return being(before + opening + rest)


def _encoded(random: Random) -> Make:
    name = random.choice(["utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp500"])
    return sealed(lambda value: value.decode().encode(name) + b"\0")


VALUES = Family("values that are no seals", 300, NAMED, more)
