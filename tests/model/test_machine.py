"""Every command of the contract, in any order, is what an outsider's model of accounts says."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from authbus_service.core.database import Database
from tests.model.machine import RealMachine, pure_machine
from tests.model.real import RealService

# The same examples each time.
STEADY = settings(derandomize=True, database=None, deadline=None)


@pytest.fixture
def real(database: Database, database_url: str) -> Iterator[RealService]:
    service = RealService(database_url)
    yield service
    service.close()


@pytest.mark.parametrize(
    ("examples", "steps"), [(4, 20), pytest.param(40, 30, marks=pytest.mark.gate)]
)
def test_commands_in_any_order_do_on_postgresql_what_the_model_says(
    real: RealService, examples: int, steps: int
) -> None:
    run_state_machine_as_test(
        lambda: RealMachine(real),
        settings=settings(STEADY, max_examples=examples, stateful_step_count=steps),
    )


def test_commands_in_any_order_decide_and_apply_as_the_model_says() -> None:
    run_state_machine_as_test(
        pure_machine, settings=settings(STEADY, max_examples=20, stateful_step_count=30)
    )
