"""The second half of a log-in: what a guess at a code counts against, and what that costs."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from authbus.second_factor import CompleteLogIn
from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.handlers import prepare
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.devices import seen
from authbus_service.auth.users.user import User
from authbus_service.core import clock
from authbus_service.core.security.masters import token_hash
from tests.rig.made import NOW, a_request
from tests.unit.auth.test_prepare import ANA, World

HERE, KNOWN = "192.0.2.7", "the token of a device"


class HalfIn(World):
    """Ana's password was right; she is known by a device."""

    async def code(self, code_hash: bytes) -> OneTimeCode | None:
        made = clock.now()
        until = made + timedelta(minutes=5)
        return OneTimeCode(code_hash, ANA.user_id, Purpose.LOG_IN, "", made, until)

    async def rows(self, proof: Proof) -> Rows:
        self.asked.append(repr(proof))
        rows, ana = Rows(), User(ANA.user_id, 4, "active", "phc", 1, NOW)
        ana.devices = seen(b"", token_hash(KNOWN))
        rows.users.by_id[ana.id] = ana
        return rows


@pytest.mark.parametrize(
    ("token", "ip_address", "counts_here", "questions"),
    [
        (None, HERE, True, 0),
        ("made up", HERE, True, 1),
        (KNOWN, HERE, False, 1),
        (KNOWN, None, False, 0),
        ("made up", None, False, 0),
    ],
)
async def test_a_guess_counts_for_its_place_but_on_a_known_device_and_asks_once_at_most(
    token: str | None, ip_address: str | None, *, counts_here: bool, questions: int
) -> None:
    world = HalfIn()
    half = CompleteLogIn(
        challenge=SecretStr("a challenge"),
        code=SecretStr("123456"),
        device_token=None if token is None else SecretStr(token),
        ip_address=ip_address,
    )

    await prepare(a_request(half), world.tools)

    (attempt,) = world.attempts
    assert (attempt.source is not None) is counts_here
    assert len(world.asked) == questions
