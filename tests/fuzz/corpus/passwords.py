"""Passwords of every length and alphabet: taken whole, or refused by their rule."""

import unicodedata
from collections.abc import Iterator
from random import Random
from string import ascii_letters

from pydantic import SecretStr

from authbus import LogIn, RegisterUser
from tests.fuzz.case import Case, Family, Make, Try, table
from tests.fuzz.scene import HANDLED, Scene
from tests.fuzz.stage import TWIN

MADE, ENTERED = "authbus.Registered.v1", "authbus.LoggedIn.v1"
SHORT, LONG, COMMON, PERSONAL = (
    f"password_{each}" for each in ("too_short", "too_long", "common", "personal")
)
_SHORTEST, _LONGEST, _FIELD = 12, 1024, 4096


def setting(password: str, *among: str) -> Make:
    def make(scene: Scene) -> Try:
        command = RegisterUser(email=scene.address(), password=SecretStr("x"))
        data = {**command.to_json(), "password": password}
        return Try.of(scene.draft(command, data=data), *among)

    return make


def entering(person: str, password: str, *among: str) -> Make:
    def make(scene: Scene) -> Try:
        email = scene.people[person].email
        return Try.of(scene.draft(LogIn(email=email, password=SecretStr(password))), *among)

    return make


def personal(scene: Scene) -> Try:
    email = scene.address()
    name = email.partition("@")[0]
    return Try.of(scene.draft(RegisterUser(email=email, password=SecretStr(name + "1!"))), PERSONAL)


def surrogate(scene: Scene) -> Try:
    draft = scene.asking(lambda payload: payload["data"].update(password="\ud800" * 12))
    return Try.of(draft, "bad_json")


def unlike(length: int, seed: int = 7) -> str:
    """Letters of no order."""
    return "".join(Random(seed).choices(ascii_letters + "0123456789-+ ", k=length))


NAMED = table(
    [
        *((f"{n} characters", setting(unlike(n), SHORT)) for n in (0, 1, 7, 8, 11)),
        *((f"{n} characters", setting(unlike(n), MADE)) for n in (12, 14, 15, 64, 72, 1024)),
        *((f"{n} characters", setting(unlike(n), LONG)) for n in (1025, 4096)),
        *((f"{n} characters", setting(unlike(n), "invalid")) for n in (4097, 40_000)),
        ("U+0000", setting("correct\0horse battery", "invalid")),
        ("lone surrogates", surrogate),
        ("spaces alone", setting(" " * 20, COMMON)),
        ("with spaces", setting("  two words more  ", MADE)),
        ("of others", setting("пароль из пяти слов", MADE)),
        ("of smileys", setting("\U0001f600\U0001f389\U0001f511\U0001f40e" * 3, MADE)),
        ("11 characters of two code points", setting("e\u0301" * 11, SHORT)),
        ("long when it is composed", setting("\ufdfa" * 400, LONG)),
        ("common", setting("q1w2e3r4t5y6u7i8", COMMON)),
        ("common with digits", setting("password1234", COMMON)),
        ("common twice", setting("passwordpassword", COMMON)),
        ("one letter", setting("a" * 16, COMMON)),
        ("the alphabet", setting("abcdefghijklmnop", COMMON)),
        ("personal", personal),
        ("of the service", setting("authbus-authbus", PERSONAL)),
        ("its twin of 72 bytes", entering("twin", TWIN + "-two", HANDLED)),
        ("its first 72 bytes", entering("twin", TWIN, HANDLED)),
        (
            "decomposed",
            entering("accents", unicodedata.normalize("NFD", "café " * 3 + "café"), ENTERED),
        ),
        ("composed", entering("accents", "café " * 3 + "café", ENTERED)),
        ("empty at a log-in", entering("twin", "", HANDLED)),
        ("1025 bytes at a log-in", entering("twin", unlike(1025), HANDLED)),
        ("4096 bytes at a log-in", entering("twin", unlike(4096), HANDLED)),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_short, _fits, _long, _huge, _repeated, _guess]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _short(random: Random) -> Make:
    return setting(unlike(random.randrange(_SHORTEST), random.getrandbits(32)), SHORT)


def _fits(random: Random) -> Make:
    length = random.randrange(_SHORTEST + 4, _LONGEST + 1)
    return setting(unlike(length, random.getrandbits(32)), MADE)


def _long(random: Random) -> Make:
    return setting(unlike(random.randrange(_LONGEST + 1, _FIELD + 1), random.getrandbits(32)), LONG)


def _huge(random: Random) -> Make:
    return setting(unlike(random.randrange(_FIELD + 1, 40_000), random.getrandbits(32)), "invalid")


def _repeated(random: Random) -> Make:
    return setting(random.choice(ascii_letters) * random.randrange(_SHORTEST, 200), COMMON)


def _guess(random: Random) -> Make:
    return entering("twin", unlike(random.randrange(1, 3000), random.getrandbits(32)), HANDLED)


PASSWORDS = Family("passwords", 150, NAMED, more)
