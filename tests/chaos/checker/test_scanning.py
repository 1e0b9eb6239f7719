"""A secret is found in whatever form and wherever it lies, and nothing else is."""

from random import Random

import pytest

from tests.rig.canary import Scanner, forms

RANDOM = Random(1)
SECRETS = [f"staple {RANDOM.getrandbits(64):016x} together" for _ in range(100)]
SCANNER = Scanner(SECRETS)
BETWEEN = b'{"told":"staple 0000 together and then something else"}'


@pytest.mark.parametrize("form", sorted(forms(SECRETS[7])))
def test_each_form_is_found_at_each_place(form: bytes) -> None:
    for shift in range(17):
        text = b"x" * shift + form + b"y" * (16 - shift)

        assert SCANNER.held(BETWEEN + text + BETWEEN) == {7}, shift


def test_a_secret_that_is_shorter_than_two_words_is_found() -> None:
    assert Scanner(["123456", "654321"]).held(b"your code is 654321.") == {1}


def test_what_has_the_words_of_many_and_is_none_of_them_is_not_found() -> None:
    assert SCANNER.held(b"staple " * 9 + b"together" * 9 + BETWEEN) == set()
    assert SCANNER.held(b"") == set()
