"""Verifier against a real Kafka: keys and ended sessions as they come."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus import FeedStale, TokenInvalid, TokenRevoked, Verifier, topics
from authbus.state import SessionRevoked
from tests.integration.client.conftest import NewVerifier
from tests.integration.client.stand_in import NEEDED, StandIn
from tests.rig.topics import widen


async def until_refused(verifier: Verifier, token: str, kind: type[TokenInvalid]) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                verifier.verify(token)
            except kind:
                return
            await asyncio.sleep(0.01)


async def until_taken(verify: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                verify()
            except TokenInvalid:
                await asyncio.sleep(0.01)
            else:
                return


async def test_a_session_that_ends_takes_its_tokens_with_it(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    ending, other = uuid4(), uuid4()
    async with new_verifier() as verifier:
        assert verifier.verify(service.token(ending)).session_id == ending

        await service.end(ending)

        await until_refused(verifier, service.token(ending), TokenRevoked)
        assert verifier.verify(service.token(other)).session_id == other


async def test_a_verifier_that_starts_later_knows_what_ended_before(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    ended = [uuid4() for _ in range(50)]
    for session_id in ended:
        await service.end(session_id)

    async with new_verifier() as verifier:
        for session_id in ended:
            with pytest.raises(TokenRevoked):
                verifier.verify(service.token(session_id))


async def test_what_ended_before_a_start_with_a_clock_ahead_is_not_taken_once_the_clock_is_right(
    service: StandIn, new_verifier: NewVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=1)

    ended, now = uuid4(), int(time.time())
    old = service.token(ended, iat=now - 60, exp=now + 540)
    new = service.token(uuid4(), iat=now + 2)
    await service.end(ended)
    monkeypatch.setattr("authbus.kafka.following.datetime", Ahead)
    async with new_verifier() as verifier:
        monkeypatch.undo()
        await service.beat()

        await until_taken(lambda: verifier.verify(new))

        with pytest.raises(FeedStale):
            verifier.verify(old)


async def test_an_end_whose_transaction_was_aborted_has_not_happened(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    session_id = uuid4()
    ended = SessionRevoked(session_id=session_id, user_id=uuid4(), ended_at=datetime.now(UTC))
    async with AIOKafkaProducer(
        bootstrap_servers=service.servers, transactional_id=service.namespace
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(
            service.name(topics.SESSIONS_ENDED), ended.model_dump_json().encode(), key=b"x"
        )
        await producer.abort_transaction()

    async with new_verifier() as verifier:
        assert verifier.verify(service.token(session_id))


async def test_an_end_that_a_relay_stamped_nine_minutes_behind_is_known_for_its_tokens_whole_life(
    stand_in: StandIn, new_verifier: NewVerifier
) -> None:
    session_id, now = uuid4(), datetime.now(UTC)
    ended = SessionRevoked(session_id=session_id, user_id=uuid4(), ended_at=now)
    stamped = now - timedelta(minutes=10) - timedelta(minutes=9)
    await stand_in.make_topics(NEEDED)
    async with AIOKafkaProducer(bootstrap_servers=stand_in.servers) as producer:
        await producer.send_and_wait(
            stand_in.name(topics.SESSIONS_ENDED),
            ended.model_dump_json().encode(),
            timestamp_ms=int(stamped.timestamp() * 1000),
        )

    async with stand_in.running(make=False), new_verifier() as verifier:
        with pytest.raises(TokenRevoked):
            verifier.verify(stand_in.token(session_id))


async def test_a_silent_feed_is_stale_until_it_speaks_again(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    async with (
        new_verifier(max_staleness=0.5) as strict,
        new_verifier(max_staleness=0.5, on_stale="accept") as lenient,
    ):
        token = service.token(uuid4())
        await until_refused(strict, token, FeedStale)
        assert lenient.verify(token)

        await service.beat(datetime.now(UTC) + timedelta(seconds=60))

        await until_taken(lambda: strict.verify(token))


async def test_a_partition_that_is_added_is_followed_and_a_sign_of_life_is_wanted_of_it(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    async def end(partition: int) -> None:
        ending = uuid4()
        await service.end(ending, partition)
        await until_refused(verifier, service.token(ending), TokenRevoked)

    async with new_verifier() as verifier:
        await service.beat(datetime.now(UTC) + timedelta(minutes=1))
        await widen(service.servers, service.name(topics.SESSIONS_ENDED), 4, tell=service.producer)

        await end(3)

        await service.beat(datetime.now(UTC) + timedelta(hours=1))
        await end(0)
        await end(1)
        assert verifier.staleness > timedelta(minutes=-2)


async def test_a_new_signing_key_is_taken_when_it_is_published(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    async with new_verifier() as verifier:
        service.signing = Ed25519PrivateKey.generate()
        token = service.token(uuid4())
        with pytest.raises(TokenInvalid, match="signature"):
            verifier.verify(token)

        await service.publish_keys()

        await until_taken(lambda: verifier.verify(token))


async def test_a_token_for_another_audience_is_refused(
    service: StandIn, new_verifier: NewVerifier
) -> None:
    async with new_verifier(audience="billing") as verifier:
        with pytest.raises(TokenInvalid, match="audience"):
            verifier.verify(service.token(uuid4()))
        assert verifier.verify(service.token(uuid4(), aud="billing"))
