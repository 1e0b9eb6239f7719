"""What is missing is named at once, with what mends it, and nothing is left running."""

import asyncio
import time
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaTimeoutError
from pydantic import SecretStr

from authbus import AuthClient, AuthUnavailable, MissingTopic, topics
from authbus.commands import ReactivateUser
from tests.chaos.proxy import Door, Proxy
from tests.integration.client.conftest import NewClient, NewStream, NewVerifier
from tests.integration.client.stand_in import CLIENT, NEEDED, StandIn

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"


async def test_a_missing_reply_topic_is_named_with_the_command_that_makes_it(
    stand_in: StandIn, new_client: NewClient
) -> None:
    await stand_in.make_topics(NEEDED[:-1])
    wanted = topics.replies(CLIENT).name(stand_in.namespace)

    with pytest.raises(MissingTopic) as raised:
        await new_client().__aenter__()

    assert raised.value.topics == (wanted,)
    assert "`authbus topics apply`" in str(raised.value)


async def test_every_missing_topic_is_named_and_none_is_created_by_asking(
    stand_in: StandIn, new_client: NewClient, new_verifier: NewVerifier, new_stream: NewStream
) -> None:
    with pytest.raises(MissingTopic):
        await new_client().__aenter__()
    with pytest.raises(MissingTopic) as producer:
        await new_client().__aenter__()
    with pytest.raises(MissingTopic) as verifier:
        await new_verifier().__aenter__()
    with pytest.raises(MissingTopic) as downstream:
        await anext(aiter(new_stream()))

    assert producer.value.topics == tuple(
        sorted(stand_in.name(topic) for topic in NEEDED if topic is not topics.EVENTS)
    )
    assert len(verifier.value.topics) == 2
    assert downstream.value.topics == (stand_in.name(topics.EVENTS),)


async def test_a_client_that_may_not_see_the_administrators_topic_works_until_it_wants_it(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client() as auth:
        session = await auth.log_in(EMAIL, PASSWORD)
        command = ReactivateUser(
            access_token=SecretStr(session.access_token), user_id=session.user_id
        )
        with pytest.raises(MissingTopic) as raised:
            await auth.send(command, key="k")

    assert raised.value.topics == (service.name(topics.ADMIN),)


async def test_a_first_call_of_an_administrator_ends_at_its_time_where_kafka_is_silent(
    service: StandIn, new_client: NewClient
) -> None:
    command = ReactivateUser(access_token=SecretStr("none"), user_id=uuid4())
    async with Proxy(Door(int(service.servers.rpartition(":")[2]))) as proxy:
        where = f"127.0.0.1:{proxy.doors[0].port}"
        async with new_client(bootstrap_servers=where) as auth:
            proxy.hold(times=None)
            started = time.monotonic()
            with pytest.raises(AuthUnavailable, match="did not tell in time"):
                await auth.send(command, key="k", timeout=1)
            assert time.monotonic() - started < 3
            proxy.calm()


async def test_a_kafka_that_is_not_there_is_told_within_the_time_out() -> None:
    started = time.monotonic()

    with pytest.raises(AuthUnavailable, match=r"127\.0\.0\.1:1"):
        await AuthClient("127.0.0.1:1", client_id=CLIENT, timeout=2).__aenter__()

    assert time.monotonic() - started < 3
    assert len(asyncio.all_tasks()) == 1


async def test_a_kafka_that_goes_away_while_one_starts_is_told_as_one_that_is_not_there(
    service: StandIn,
    new_client: NewClient,
    new_verifier: NewVerifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(*_: object) -> None:
        raise KafkaTimeoutError("no offsets in 6000 ms")

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", gone)

    for each in (new_client(), new_verifier()):
        with pytest.raises(AuthUnavailable, match=rf"{service.servers}: .*no offsets"):
            await each.__aenter__()


async def test_a_service_that_has_not_published_its_keys_is_waited_for_and_then_named(
    stand_in: StandIn, new_client: NewClient
) -> None:
    await stand_in.make_topics(NEEDED)

    async with new_client() as auth:
        with pytest.raises(AuthUnavailable, match="has not published its keys"):
            await auth.register(EMAIL, PASSWORD, timeout=0.3)
        call = asyncio.create_task(auth.register(EMAIL, PASSWORD))
        async with stand_in.running(make=False):
            await call


async def test_keys_of_another_root_are_not_used(service: StandIn, new_client: NewClient) -> None:
    async with new_client(trust=("another", "root")) as auth:
        with pytest.raises(AuthUnavailable, match=r"another root .* `authbus serve` prints"):
            await auth.register(EMAIL, PASSWORD, timeout=0.3)

    assert service.values == []
