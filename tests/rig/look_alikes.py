"""Texts that some eye or some form of Unicode takes for an address: made from a seed."""

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import chain

# What a mail server, a database or a library may do to a text before it compares it.
FORMS: tuple[Callable[[str], str], ...] = (
    str.lower,
    str.upper,
    str.casefold,
    *(partial(unicodedata.normalize, form) for form in ("NFC", "NFD", "NFKC", "NFKD")),
    lambda text: unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()),
    lambda text: "".join(c for c in unicodedata.normalize("NFKD", text) if c.isascii()),
)
# Single characters that Unicode's list of confusables names for a letter or a sign of an address.
CONFUSABLE = {
    "a": "\u0430\u0251\u03b1\u237a\U0001d41a",
    "b": "\u0184\u042c\u13cf\u1472\u15af",
    "c": "\u0441\u03f2\u1d04\u217d\u2ca5\uabaf",
    "d": "\u0501\u13e7\u146f\ua4d2\u217e\u2146",
    "e": "\u0435\u04bd\u212e\u212f\uab32",
    "f": "\u0584\u017f\u03dd\u1e9d\ua799\uab35",
    "g": "\u0261\u0581\u018d\u1d83\u210a",
    "h": "\u04bb\u0570\u13c2\u210e",
    "i": "\u0456\u0131\u03b9\u0269\u02db\u04cf\u13a5\u2139\u2148",
    "j": "\u0458\u03f3\u2149",
    "k": "\u043a\u03ba\u212a\u1d0b",
    "l": "\u04c0\u05c0\u0627\u01c0\u0406\u0399\u16c1\u2113\u2160\u23fd",
    "m": "\u043c\u1d0d\u217f\u11e3",
    "n": "\u0578\u057c\u03b7\u0274",
    "o": "\u043e\u03bf\u0585\u0d20\u101d\u0966\u0ed0\u1d0f\u2134\u3007",
    "p": "\u0440\u03c1\u03f1\u2374\u2ca3",
    "q": "\u051b\u0563\u0566",
    "r": "\u0433\u1d26\u2c85\uab47\uab48\uab81",
    "s": "\u0455\u01bd\ua731\uabaa",
    "t": "\u0442\u03c4\u1d1b\u22a4",
    "u": "\u057d\u03c5\u028b\ua79f\u1d1c\uab4e\uab52",
    "v": "\u03bd\u0475\u05d8\u1d20\u2174\u2228",
    "w": "\u051d\u0461\u026f\u0561\u1d21\uab83",
    "x": "\u0445\u00d7\u166d\u157d\u1541\u2179\u292b",
    "y": "\u0443\u04af\u03b3\u0263\u028f\u10e7\u1d8c\u213d\uab5a",
    "z": "\u1d22\uab93\u0396",
    "0": "\u041e\u0c66\u3007",
    "1": "\u06f1\u0661",
    ".": "\u3002\uff0e\uff61\u2024\u0660\u06f0\ua4f8\U00010a50",
    "@": "\uff20\ufe6b",
    "-": "\u2010\u2011\u2012\u2013\u2212\u02d7\u06d4\u2043\u2cba\uff0d",
    "_": "\uff3f\u07fa\ufe4d",
}
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\u202a\u202e\u2066\ufe0f\u3164"
_MARKS = "\u0300\u0301\u0307\u0323\u0327\u0338\u20d2\u0489"
_SPACES = "\u0020\u00a0\u2003\u3000\t\n\r\0\u2028\u0085"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
# Where Unicode has what becomes something else; between them lie the scripts of East Asia.
_LETTERS_AND_SIGNS = (
    range(0x80, 0x3400),
    range(0xA640, 0xAC00),
    range(0xFB00, 0xFFFE),
    range(0x1D400, 0x1D800),
    range(0x1E000, 0x1F200),
)
_TOP = ("com", "org", "example", "co")


@cache
def _that_become() -> Mapping[str, str]:
    """For each ASCII character the others of which some form makes it, or a text that has it."""
    found = defaultdict[str, list[str]](list)
    for code in chain(*_LETTERS_AND_SIGNS):
        made = {char for form in FORMS for char in form(chr(code)).lower() if char.isascii()}
        for char in made:
            found[char].append(chr(code))
    return {char: "".join(others) for char, others in found.items()}


def addresses(chance: random.Random, count: int) -> list[str]:
    """So many right addresses, each its own canonical form."""

    def word(most: int) -> str:
        return "".join(chance.choices(_LETTERS, k=chance.randint(1, most)))

    def one() -> str:
        local = chance.choice(".-_+").join(word(8) for _ in range(chance.randint(1, 3)))
        return f"{local}@{word(12)}.{chance.choice(_TOP)}"

    return [one() for _ in range(count)]


def look_alikes(chance: random.Random, of: list[str], count: int) -> Iterator[tuple[str, str]]:
    """So many pairs of an address and a text that looks like it, or becomes it, or nearly so."""
    for _ in range(count):
        address = chance.choice(of)
        text = address
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            text = _changed(chance, text)
        yield address, text


def _changed(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text))
    before, char, after = text[:at], text[at], text[at + 1 :]
    match chance.randrange(8):
        case 0 | 1:
            char = chance.choice(_that_become().get(char.lower()) or "\u0430")
        case 2:
            char = chance.choice(CONFUSABLE.get(char.lower()) or "\u0430")
        case 3 | 4:
            char = char.swapcase()
        case 5:
            char += chance.choice(_UNSEEN + _MARKS + _SPACES)
        case 6:
            char = chance.choice(_LETTERS + ".@-_")
        case _:
            return chance.choice(FORMS)(text) or text
    return before + char + after
