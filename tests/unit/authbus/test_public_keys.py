"""Which public key commands are sealed for."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus.public_keys import PublicKeys
from authbus.sealing import ReplyKey
from authbus.signing import public_jwk, thumbprint
from authbus.state import PublicKey
from authbus.trust import Trust, sign_key
from tests.unit.authbus.records import a_record

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROOT = Ed25519PrivateKey.generate()


@pytest.fixture
def keys() -> PublicKeys:
    return PublicKeys(Trust(thumbprint(ROOT.public_key())))


def a_key(
    kid: str, not_before: datetime, root: Ed25519PrivateKey = ROOT, **fields: Any
) -> PublicKey:
    common = {"kid": kid, "use": "enc", "jwk": ReplyKey().public, "not_before": not_before}
    return sign_key(common | fields, root)


def publish(keys: PublicKeys, record: PublicKey, kid: str = "") -> None:
    value = record.model_dump_json().encode()
    keys.read(a_record(value, key=(kid or record.kid).encode()))


def newest(keys: PublicKeys, at: datetime = AT) -> str | None:
    key = keys.newest_sealing(at)
    return None if key is None else key["kid"]


def test_the_newest_key_whose_time_has_come_is_taken(keys: PublicKeys) -> None:
    for kid, not_before in (("now", AT - HOUR), ("old", AT - 2 * HOUR), ("next", AT + HOUR)):
        publish(keys, a_key(kid, not_before))

    assert (newest(keys), newest(keys, AT + HOUR)) == ("now", "next")


def test_a_retired_key_is_not_taken_and_stays_retired_when_its_old_record_comes_again(
    keys: PublicKeys,
) -> None:
    first, second = a_key("first", AT - 2 * HOUR), a_key("second", AT - HOUR)
    publish(keys, first)
    publish(keys, second)

    publish(keys, sign_key(second.model_dump() | {"retired_at": AT}, ROOT))
    publish(keys, second)

    assert newest(keys) == "first"


def test_a_key_that_had_retired_stays_so_when_its_old_record_comes_again_after_its_end(
    keys: PublicKeys,
) -> None:
    first, second = a_key("first", AT - 2 * HOUR), a_key("second", AT - HOUR)
    retired = sign_key(second.model_dump() | {"retired_at": AT}, ROOT)
    for each in (first, second, retired):
        publish(keys, each)
    keys.read(a_record(None, key=b"second"))

    publish(keys, second)

    assert newest(keys) == "first"
    publish(keys, retired)
    assert newest(keys, AT - timedelta(seconds=1)) == "second", "said anew as it was, it is there"


def test_a_key_that_ended_by_a_strangers_word_is_taken_again_when_it_is_said_anew(
    keys: PublicKeys,
) -> None:
    publish(keys, key := a_key("here", AT))
    keys.read(a_record(None, key=b"here"))

    publish(keys, key)

    assert newest(keys) == "here"


def test_a_key_that_ended_is_not_taken(keys: PublicKeys) -> None:
    publish(keys, a_key("gone", AT))

    keys.read(a_record(None, key=b"gone"))

    assert newest(keys) is None


def test_a_key_of_another_root_under_another_name_or_for_another_use_is_not_taken(
    keys: PublicKeys,
) -> None:
    publish(keys, a_key("foreign", AT, Ed25519PrivateKey.generate()))
    publish(keys, a_key("mine", AT), kid="yours")
    publish(keys, a_key("sig", AT, use="sig", jwk=public_jwk(ROOT.public_key())))

    assert newest(keys) is None
    assert "another root" in keys.absence()


def test_who_has_keys_of_which_none_serves_is_told_of_the_clock(keys: PublicKeys) -> None:
    publish(keys, a_key("next", AT + HOUR))

    assert newest(keys) is None
    assert "clock" in keys.absence()

    publish(keys, a_key("foreign", AT, Ed25519PrivateKey.generate()))
    assert "another root" in keys.absence(), "the service goes on under a root that is not pinned"


def test_who_waits_for_a_key_gets_it_when_it_comes(keys: PublicKeys) -> None:
    async def waiting() -> str:
        async with asyncio.TaskGroup() as group:
            key = group.create_task(keys.sealing())
            await asyncio.sleep(0)
            publish(keys, a_key("late", datetime.now(UTC)))
        return key.result()["kid"]

    assert "authbus serve" in keys.absence()
    assert asyncio.run(waiting()) == "late"
