"""Every command of the contract, in any order, is what an outsider's model of accounts says."""

import sys

import pytest
from hypothesis import Phase, settings
from hypothesis import seed as by_the_seed
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import PureMachine, RealMachine
from tests.model.real import RealService
from tests.model.sequences import played
from tests.rig.nights import seed_of_the_night

# The same examples each time, but by night.
STEADY = settings(derandomize=True, database=None, deadline=None)
# The shortest way to a fault is looked for by night alone: it takes minutes.
FEW = settings(STEADY, max_examples=2, stateful_step_count=20, phases=[Phase.generate])
MOST = settings(STEADY, derandomize=False, max_examples=60, stateful_step_count=30)
MINUTES = pytest.mark.timeout(1800)
SLOW, NIGHTLY = [pytest.mark.slow, MINUTES], [pytest.mark.nightly, MINUTES]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(FEW, id="few"),
        pytest.param(MOST, marks=NIGHTLY, id="most"),
    ],
)
def test_commands_in_any_order_do_on_postgresql_what_the_model_says(
    real: RealService, how: settings, capsys: pytest.CaptureFixture[str]
) -> None:
    class OnPostgresql(RealMachine):
        def __init__(self) -> None:
            super().__init__(real)

    if how is MOST:
        number = seed_of_the_night()
        with capsys.disabled():
            sys.stdout.write(f"\nthe machine's examples by the seed {number}\n")
        by_the_seed(number)(OnPostgresql)

    run_state_machine_as_test(OnPostgresql, settings=how)


@pytest.mark.parametrize(
    "seeds",
    [
        range(2),
        pytest.param(range(2, 6), marks=SLOW),
        pytest.param(range(6, 60), marks=NIGHTLY),
    ],
    ids=len,
)
def test_sequences_by_a_seed_do_so_too(real: RealService, seeds: range) -> None:
    for seed in seeds:
        real.reset()
        played(seed, real)


@pytest.mark.slow
@MINUTES
def test_commands_in_any_order_decide_and_apply_as_the_model_says() -> None:
    run_state_machine_as_test(
        PureMachine, settings=settings(STEADY, max_examples=8, stateful_step_count=30)
    )
