"""Finds thousands of secrets in hundreds of megabytes, in each form in which one may be written.

A text is looked at in words of eight bytes, one beside the other. Fifteen bytes in a row hold one
such word whole, wherever they lie, so each form is known by the eight words in fifteen of its
bytes. Where none of these is, the form is not; where one is, it is looked for.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence

from tests.rig.canary import forms

_WORD = 8
_STRETCH = 2 * _WORD - 1
Form = tuple[int, bytes]


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
