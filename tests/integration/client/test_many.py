"""Many instances of one client, and many calls of one instance, on a real Kafka."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from authbus import AuthRejected, AuthTimeout, Code
from authbus.uuid7 import uuid7
from tests.integration.client.conftest import NewClient
from tests.integration.client.stand_in import StandIn

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"


@pytest.mark.slow
async def test_each_of_twenty_instances_gets_its_own_answers(
    service: StandIn, new_client: NewClient
) -> None:
    async with AsyncExitStack() as opened:
        clients = [await opened.enter_async_context(new_client(timeout=60)) for _ in range(20)]
        ids = {number: [uuid7() for _ in range(10)] for number in range(20)}
        calls = [
            clients[number].log_in(EMAIL, PASSWORD, command_id=command_id)
            for number, mine in ids.items()
            for command_id in mine
        ]
        sessions = await asyncio.gather(*calls)
        again = await clients[7].log_in(EMAIL, PASSWORD, command_id=ids[3][0])

    assert len({session.session_id for session in sessions}) == 200
    assert again.session_id == sessions[30].session_id
    assert len(service.commands) == 201


@pytest.mark.nightly
async def test_two_thousand_calls_are_in_flight_at_once(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client(timeout=60) as auth:
        users = await asyncio.gather(
            *(auth.register(f"ana{number}@example.com", PASSWORD) for number in range(2000))
        )

    assert len({user.user_id for user in users}) == 2000
    assert len(service.commands) == 2000


@pytest.mark.slow
async def test_calls_that_nobody_answers_end_at_their_deadline_and_others_go_on(
    service: StandIn, new_client: NewClient
) -> None:
    loop = asyncio.get_running_loop()
    async with new_client(timeout=60) as auth:
        await auth.register(EMAIL, PASSWORD)
        service.mute = True
        began = loop.time()
        calls = (auth.register(EMAIL, PASSWORD, timeout=3) for _ in range(500))
        ended = await asyncio.gather(*calls, return_exceptions=True)
        took = loop.time() - began
        service.mute = False
        await auth.register(EMAIL, PASSWORD)
        with pytest.raises(AuthRejected) as refused:
            await auth.log_in(EMAIL, "wrong")

    assert {type(each) for each in ended} == {AuthTimeout}
    assert 3 <= took < 10
    assert refused.value.code == Code.INVALID_CREDENTIALS
