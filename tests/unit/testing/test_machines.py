"""How many sessions the fake gives one machine, as a service does."""

import pytest

from authbus import AuthRejected
from authbus.testing import FakeAuthbus

PASSWORD = "correct horse battery"


async def test_a_machine_has_a_thousand_sessions_and_more_when_those_are_over() -> None:
    bus = FakeAuthbus()
    async with bus.client("web") as auth:
        user = await auth.register("root@example.com", PASSWORD)
        bus.grant(user.user_id, "admin")
        root = await auth.log_in("root@example.com", PASSWORD)
        machine = await auth.services.create(root.access_token, "the mill")
        for _ in range(1000):
            await auth.services.log_in(machine.user_id, machine.secret)
        with pytest.raises(AuthRejected, match="too_soon"):
            await auth.services.log_in(machine.user_id, machine.secret)
        bus.forward(minutes=10)
        await auth.services.log_in(machine.user_id, machine.secret)
