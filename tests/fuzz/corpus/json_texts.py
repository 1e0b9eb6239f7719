"""Seals around what is not the JSON that is read here."""

import json
from collections.abc import Callable, Iterator
from random import Random

from authbus.sealing import ReplyKey
from authbus_service.core.ids import new_id
from tests.fuzz.case import Case, Family, Make, Try, table
from tests.fuzz.scene import Scene

BAD = "bad_json"
_DEEPEST = 32
_PLACE = '"PLACE"'


def sealing(payload: bytes, *among: str) -> Make:
    return lambda scene: Try.of(scene.inside(payload), *(among or (BAD,)))


def within(text: str, *among: str) -> Make:
    """A right payload with this text, which need be no JSON, as a value in its data."""
    return around(lambda payload: payload.replace(_PLACE, text), *among)


def around(change: Callable[[str], str], *among: str) -> Make:
    def make(scene: Scene) -> Try:
        draft = scene.log_in()
        payload = scene.payload(draft.id, ReplyKey())
        payload["data"] = {"x": "PLACE", **payload["data"]}
        changed = change(json.dumps(payload)).encode("utf-8", "surrogatepass")
        headers = [("ce_id", str(draft.id).encode())]
        return Try.of(scene.web.around(changed, draft.but(headers=headers)), *(among or (BAD,)))

    return make


NAMED = table(
    [
        ("nothing", sealing(b"", "not_sealed")),
        ("a space", sealing(b" ")),
        ("not UTF-8", sealing(b'{"id":"\xff\xfe"}')),
        ("as deep as fits", sealing(b"[" * 48_000)),
        ("objects as deep as fit", sealing(b'{"a":' * 9_000)),
        ("NaN", within("NaN")),
        ("-Infinity", within("-Infinity")),
        ("1e999", within("1e999")),
        ("a huge integer", within("9" * 5000)),
        ("over 64 bits", within(str(2**63))),
        ("64 bits", within(str(2**63 - 1), "invalid")),
        ("a lone surrogate", within('"\\ud800"')),
        ("a surrogate in UTF-8", within('"\ud800"')),
        ("one key twice", around(lambda text: text.replace('"x":', '"x": 1, "x":'))),
        ("one key twice, once escaped", within('{"a": 1, "\\u0061": 2}')),
        ("trailing data", around(lambda text: text + " {}")),
        ("a comment", within("/**/1")),
        ("a comment to the end", around(lambda text: text + " // no")),
        ("a trailing comma", within("[1,]")),
        ("single quotes", within("'x'")),
        ("a raw line feed in a text", within('"\n"')),
        ("a raw U+0000 in a text", within('"\0"')),
        ("a BOM", around(lambda text: "\ufeff" + text)),
        ("a list", sealing(b"[]")),
        ("a text", sealing(b'"text"')),
        ("no envelope", sealing(b"{}", "bad_envelope")),
        ("U+0000 in every name", sealing(b'{"\\u0000":"\\u0000"}', "bad_envelope")),
        (
            "many keys",
            sealing(json.dumps({str(n): n for n in range(3000)}).encode(), "bad_envelope"),
        ),
        ("a text as long as fits", within(json.dumps("x" * 40_000), "invalid")),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_deep, _number, _twice, _surrogate, _control, _trailing, _cut, _keys, _syntax]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _deep(random: Random) -> Make:
    depth = random.choice([20, 29, 30, 31, 32, 100, 1000, 5000, 20_000])
    opening, closing = random.choice([("[", "]"), ('{"a":', "}")])
    depth = min(depth, 40_000 // len(opening + closing))
    # The envelope and its data are two.
    fits = depth + 2 <= _DEEPEST
    return within(opening * depth + "1" + closing * depth, "invalid" if fits else BAD)


def _number(random: Random) -> Make:
    digits = "".join(random.choices("123456789", k=random.choice([20, 25, 400, 5000])))
    form = random.choice(["{}", "-{}", "{}e400", "1e{}", "0{}", "+{}", "0x{}", "{}.", ".{}"])
    return within(form.format(digits))


def _twice(random: Random) -> Make:
    name = random.choice(["id", "type", "source", "data", "expirytime", "reply_to"])
    value = random.choice(["null", "1", '""', "{}", json.dumps(str(new_id()))])
    return around(lambda text: f'{{"{name}": {value}, {text[1:]}')


def _surrogate(random: Random) -> Make:
    code = f"\\u{random.randrange(0xD800, 0xE000):04x}"
    return within(random.choice(['"{}"', '{{"{}": 1}}', '["a{}b"]', '"{}\\u0041"']).format(code))


def _control(random: Random) -> Make:
    return within(f'"a{chr(random.randrange(0x20))}b"')


def _trailing(random: Random) -> Make:
    rest = random.choice(["x", "{}", "1", ",", "]", "}", '"', "null", "\0", "\x0c"])
    return around(lambda text: text + rest)


def _cut(random: Random) -> Make:
    share = random.random()
    return around(lambda text: text[: 1 + int(share * (len(text) - 1))])


def _keys(random: Random) -> Make:
    many = {f"{n:x}": random.randrange(10) for n in range(random.randrange(1000, 4000))}
    return within(json.dumps(many), "invalid")


def _syntax(random: Random) -> Make:
    return within(
        random.choice(
            [
                "tru",
                "True",
                "None",
                "undefined",
                "[1 2]",
                '{"a" 1}',
                "{1: 2}",
                '"\\x41"',
                "`x`",
                "<x/>",
            ]
        )
    )


JSON_TEXTS = Family("JSON inside seals", 250, NAMED, more)
