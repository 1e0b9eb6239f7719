"""Finds thousands of secrets in hundreds of megabytes, in each form in which one may be written.

A text is looked at in words of eight bytes, one beside the other. Fifteen bytes in a row hold one
such word whole, wherever they lie, so each form is known by the eight words in fifteen of its
bytes. Where none of these is, the form is not; where one is, it is looked for.
"""

import base64
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

# Most of what servers set aside is empty; no form has as many zeros in a row.
_EMPTY = re.compile(rb"\0{64,}")
_WORD = 8
_STRETCH = 2 * _WORD - 1
Form = tuple[int, bytes]


def forms(text: str) -> set[bytes]:
    """The text as it is, in hex, URL-encoded, as JSON, in UTF-16, and in base64 at any offset."""
    raw = text.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(text, safe="").encode()}
    found |= {json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")}
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw)
        # The first and last characters hold bits of the neighbours too.
        kept = padded[(0, 2, 3)[shift] :].rstrip(b"=")
        kept = kept[:-1] if (shift + len(raw)) % 3 else kept
        found |= {kept, kept.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


class Scanner:
    """Looks for these secrets, known by their places among them, in one text after the other."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._short: list[Form] = []
        self._by_word = defaultdict[int, list[Form]](list)
        for number, secret in enumerate(secrets):
            for form in forms(secret):
                self._take((number, form))
        self._words = frozenset(self._by_word)

    def _take(self, form: Form) -> None:
        _, written = form
        # The middle tells most: many may begin and end alike.
        begin = (len(written) - _STRETCH) // 2
        if begin < 0:
            self._short.append(form)
            return
        for at in range(begin, begin + _WORD):
            word = int.from_bytes(written[at : at + _WORD], sys.byteorder)
            self._by_word[word].append(form)

    def held(self, text: bytes) -> set[int]:
        """Which of the secrets are in this text."""
        words = memoryview(text)[: len(text) // _WORD * _WORD].cast("Q")
        there = self._words.intersection(words)
        likely = {form for word in there for form in self._by_word[word]}
        return {number for number, written in (*likely, *self._short) if written in text}


def sightings(folder: Path, texts: Mapping[str, str]) -> set[tuple[str, str]]:
    """(a text's name, the file below the folder) for every file that holds it in any form."""
    names, scanner = [*texts], Scanner([*texts.values()])
    return {
        (names[number], str(path.relative_to(folder)))
        for path in _files(folder)
        for number in scanner.held(_EMPTY.sub(bytes(64), path.read_bytes()))
    }


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
