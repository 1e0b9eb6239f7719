"""Addresses that look like another's, or like none: refused, or the one account that they are."""

from collections.abc import Callable, Iterator
from random import Random

from pydantic import SecretStr

from authbus import LogIn, RegisterUser
from authbus.addresses import canonical
from tests.fuzz.case import Case, Family, Item, Make, Try, each, table
from tests.fuzz.scene import HANDLED, PASSWORD, Scene
from tests.fuzz.stage import Stage

MADE, TAKEN, NONE = "authbus.Registered.v1", "email_taken", ("email_invalid", "invalid")
# What looks like nothing, turns the line round, or is put upon another letter.
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\u202a\u202e\u2066\u2069\ufe0f"
COMBINING = "\u0300\u0301\u0307\u0323\u0308\u20dd\u0345"
SPACES = "\u00a0\u2003\u3000\u1680\u0085\u2028 \t\n\r\0\x1b\x7f"
LOOK_ALIKES = {
    "a": "\u0430\u0251\u03b1\uff41\u1d5a\U0001d41a\u00aa",
    "e": "\u0435\u212e\uff45\U0001d41e",
    "i": "\u0456\u0131\u0130\u2170\uff49",
    "k": "\u212a\u03ba\uff4b",
    "o": "\u043e\u03bf\u0585\uff4f\u00ba",
    "s": "\u017f\u0455\uff53\u00df",
    "x": "\u0445\u2179\uff58\u00d7",
    "m": "\u217f\uff4d",
    "@": "\uff20\ufe6b",
    ".": "\u3002\uff0e\u2024\uff61",
}


def registering(address: Callable[[Scene], str], *among: str) -> Make:
    def make(scene: Scene) -> Try:
        command = RegisterUser(email="x@y", password=SecretStr(PASSWORD + scene.canary))
        data = {**command.to_json(), "email": address(scene)}
        return Try.of(scene.draft(command, data=data), *among)

    return make


def being(address: str) -> Make:
    return registering(lambda _: address, *NONE)


def known(change: Callable[[str], str], *among: str) -> Make:
    """The address of somebody who is there, changed."""
    return registering(lambda scene: change(scene.people["ana"].email), *among)


def entering(change: Callable[[str], str]) -> Make:
    """A log-in with the right password under another's look-alike."""

    def make(scene: Scene) -> Try:
        ana = scene.people["ana"]
        command = LogIn(email="x@y", password=SecretStr(ana.password))
        data = {**command.to_json(), "email": change(ana.email)}
        return Try.of(scene.draft(command, data=data), HANDLED, "invalid")

    return make


def at_once(scene: Scene) -> Try:
    """Two of one address at one moment."""
    address = scene.address()
    drafts = [
        scene.draft(RegisterUser(email=each, password=SecretStr(PASSWORD)))
        for each in (address, address.upper())
    ]
    return Try([Item.of(draft) for draft in drafts], each(MADE, TAKEN))


NAMED = table(
    [
        ("new", registering(Scene.address, MADE)),
        ("new in capitals", registering(lambda scene: scene.address().upper(), MADE)),
        ("known", known(str, TAKEN)),
        ("known in capitals", known(str.upper, TAKEN)),
        ("two at once", at_once),
        *(
            (f"{address[:40]!a}", being(address))
            for address in (
                *("ana", "@example.com", "ana@", "ana@localhost", "ana@example.com."),
                *("ana@.example.com", "ana@example..com", "ana@-example.com", "ana@ex--ample.com"),
                *("ana@xn--.com", "ana@exa_mple.com", "ana@127.0.0.1", "ana@[127.0.0.1]"),
                *("ana@bob@example.com", '"ana b"@example.com', ".ana@example.com", "'@'@'"),
                *("ana.@example.com", "a..na@example.com", " ana@example.com", "ana@example.com\n"),
                *("ana@example.com\0", "ana\r\nbcc@example.com", "ana <ana@example.com>", ""),
                *(f"{'a' * 65}@example.com", f"ana@{'a' * 64}.com", f"ana@{'a.' * 130}com"),
                *(
                    "anä@example.com",
                    "ana@bücher.example",
                    "日本語@example.com",
                    "\u05d0@example.com",
                ),
                *("\U0001f600@example.com", "e" + "\u0301" * 1000 + "@x.com", "a" * 320 + "@x.com"),
            )
        ),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_alike, _put_in, _cased, _marked, _spaced, _entered, _long, _no_domain, _new]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _alike(random: Random) -> Make:
    return known(alike(random), *NONE)


def alike(random: Random) -> Callable[[str], str]:
    letter = random.choice([*LOOK_ALIKES])
    other = random.choice(LOOK_ALIKES[letter])
    return lambda address: address.replace(letter, other) if letter in address else other + address


def put_in(text: str, share: float) -> Callable[[str], str]:
    def change(address: str) -> str:
        at = int(share * (len(address) + 1))
        return address[:at] + text + address[at:]

    return change


def _put_in(random: Random) -> Make:
    return known(put_in(random.choice(INVISIBLE), random.random()), *NONE)


def _cased(random: Random) -> Make:
    pattern = random.getrandbits(64)
    return known(
        lambda address: "".join(
            letter.upper() if pattern >> (n % 64) & 1 else letter
            for n, letter in enumerate(address)
        ),
        TAKEN,
    )


def _marked(random: Random) -> Make:
    text = random.choice(COMBINING) * random.choice([1, 2, 50])
    return known(put_in(text, random.random()), *NONE)


def _spaced(random: Random) -> Make:
    return known(put_in(random.choice(SPACES), random.choice([0.0, random.random(), 0.999])), *NONE)


def _entered(random: Random) -> Make:
    change = random.choice([alike(random), put_in(random.choice(INVISIBLE), random.random())])
    return entering(change)


def _long(random: Random) -> Make:
    name = "b" * random.randrange(65, 400)
    return registering(lambda _: f"{name}@example.com", *NONE)


def _no_domain(random: Random) -> Make:
    bad = random.choice(["-", ".", "_", "--", "a..b", "a_b.com", "1.2.3.4", "[::1]", "a b.com", ""])
    return registering(lambda scene: f"{scene.address().partition('@')[0]}@{bad}", *NONE)


def _new(random: Random) -> Make:
    tag = "".join(random.choices("abcxyz019!#$%&'*+/=?^_`{|}~-", k=random.randrange(1, 20)))
    return registering(lambda scene: f"{tag}{scene.address()}", MADE)


async def _one_account_each(stage: Stage) -> list[str]:
    rows = await stage.rows(
        "SELECT user_id, count(*) AS n, min(canonical) AS form FROM emails GROUP BY user_id"
    )
    several = [row for row in rows if row["n"] != 1]
    odd = [row["form"] for row in rows if canonical(row["form"]) != row["form"]]
    found = [f"{len(several)} users with more than one address"] if several else []
    return found + [f"accounts of no canonical form: {odd[:3]!a}"] * bool(odd)


def forms_of_forms(random: Random, count: int) -> list[str]:
    """Addresses by chance whose form has another form."""
    pool = "aAzZ09.@-_+ " + INVISIBLE + COMBINING + SPACES + "".join(LOOK_ALIKES.values())
    found: list[str] = []
    for _ in range(count):
        written = "".join(random.choices(pool, k=random.randrange(1, 16))) + "@Example.com"
        form = canonical(written)
        if form is not None and canonical(form) != form:
            found.append(ascii(written))
    return found


IDENTITIES = Family("addresses", 2000, NAMED, more, looked=_one_account_each)
