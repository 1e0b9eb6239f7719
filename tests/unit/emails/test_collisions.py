"""No two texts that some eye or some form of Unicode takes for one another are two accounts."""

import random

import pytest

from authbus.addresses import canonical
from tests.rig.look_alikes import CONFUSABLE, FORMS, addresses, look_alikes

FULL = pytest.param(1_000_000, marks=[pytest.mark.nightly, pytest.mark.timeout(900)])


@pytest.mark.parametrize("count", [20_000, FULL])
def test_a_text_is_the_address_that_it_is_read_as_or_none(count: int) -> None:
    chance = random.Random(count)
    of = addresses(chance, 500)
    same = alike = refused = 0

    for address, text in look_alikes(chance, of, count):
        form = canonical(text)
        elsewhere = {canonical(each) for each in {make(text) for make in FORMS}}

        same += form == address
        refused += form is None
        alike += form is None and address in elsewhere
        assert form is None or (text.isascii() and form == text.lower() == canonical(form))
        # What an account's text becomes elsewhere is that account or none.
        assert form is None or elsewhere <= {form, None}

    # The cases are of all kinds: the same account, none, and such that a form would take for it.
    assert min(same, refused, alike) > count / 10


def test_every_address_of_these_cases_is_one_as_it_stands() -> None:
    of = addresses(random.Random(0), 2000)

    assert [canonical(each) for each in of] == of


@pytest.mark.parametrize("letter", CONFUSABLE)
def test_no_letter_is_taken_for_one_that_looks_like_it(letter: str) -> None:
    address = f"ana{letter if letter != '@' else ''}b@shop.example"

    for other in CONFUSABLE[letter]:
        look_alike = address.replace(letter, other, 1)
        assert look_alike != address
        assert canonical(look_alike) is None, ascii(other)
