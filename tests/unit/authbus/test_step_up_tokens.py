"""A token that shows when and how its user authenticated."""

import pytest

from authbus.errors import StepUpRequired
from tests.unit.authbus.test_tokens import NOW, World, a_token


@pytest.mark.parametrize(
    ("age", "amr", "max_age", "needed", "good"),
    [
        (60, ["pwd"], None, None, True),
        (60, ["pwd"], 600, None, True),
        (599, ["pwd", "otp", "mfa"], 600, "mfa", True),
        (60, ["pwd"], 600, "mfa", False),
        (606, ["pwd", "otp", "mfa"], 600, "mfa", False),
        (606, ["pwd", "otp", "mfa"], None, "mfa", True),
        (None, ["mfa"], 600, None, False),
    ],
)
def test_a_permission_may_need_a_recent_proof_of_a_kind(
    age: int | None, amr: list[str], max_age: float | None, needed: str | None, *, good: bool
) -> None:
    world = World()
    since = None if age is None else NOW.timestamp() - age
    token = a_token(scope="orders:write", auth_time=since, amr=amr)

    if good:
        claims = world.checker.require(token, "orders:write", max_age=max_age, amr=needed)
        assert claims.amr == tuple(amr)
    else:
        with pytest.raises(StepUpRequired):
            world.checker.require(token, "orders:write", max_age=max_age, amr=needed)
