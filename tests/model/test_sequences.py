"""Sequences of commands by a seed, through decide and apply alone."""

import random
import sys
from collections import Counter

import pytest

from authbus.contract import ROWS
from authbus.replies import Code
from tests.model.fake import FakeService
from tests.model.machine import LOOKED_UP
from tests.model.making import MAKERS
from tests.model.sequences import played
from tests.model.table import RULES

NIGHTLY = 10_000
# What no sequence of single commands in time comes to: these are the way's and the seal's to say.
ELSEWHERE = {
    Code.BUSY,
    Code.EXPIRED,
    Code.IDEMPOTENCY_MISMATCH,
    Code.WRONG_TOPIC,
    Code.UNKNOWN_TYPE,
    Code.STALE_ID,
}


def test_each_command_of_the_contract_has_a_rule_and_is_made() -> None:
    assert {row.command for row in ROWS} == RULES.keys() == MAKERS.keys()


def test_sequences_decide_and_apply_as_the_model_says() -> None:
    for seed in range(60):
        played(seed)


def test_sequences_do_on_the_fake_what_the_model_says() -> None:
    for seed in range(15):
        played(seed, FakeService())


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_many_sequences_do_so_too() -> None:
    first = random.SystemRandom().randrange(2**40)
    for seed in range(first, first + 1000):
        played(seed, FakeService())


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_ten_thousand_sequences_meet_all_that_can_be_answered_and_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = random.SystemRandom().randrange(2**40)
    with capsys.disabled():
        sys.stdout.write(f"\nsequences by the seeds from {first} on\n")
    met = Counter[str]()

    for seed in range(first, first + NIGHTLY):
        met.update(played(seed))

    rows = [row for row in ROWS if row.command not in LOOKED_UP]
    answers = {reply.__name__ for row in rows for reply in row.replies}
    events = {event.__name__ for row in rows for event in row.events}
    assert (answers | events | {str(each) for each in {*Code} - ELSEWHERE}) - met.keys() == set()
