"""The key ring derives every key from its row, and shows only public halves."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwe, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet

from authbus.ended_sessions import EndedSessions
from authbus.public_keys import PublicKeys
from authbus.tokens import Rules, TokenChecker
from authbus.trust import Trust
from authbus_service.core import clock
from authbus_service.core.security.keyring import Key, KeyRing, first_keys
from authbus_service.core.security.masters import MasterKeyError, Masters
from tests.unit.authbus.records import a_record

ONE, TWO = bytes(range(32)), bytes(range(100, 132))
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLAIMS: dict[str, Any] = {
    "iss": "authbus/auth",
    "sub": "u1",
    "aud": ["web"],
    "iat": 1,
    "exp": 2**40,
    "jti": "j1",
}
SIG = Key("s1", "sig", Masters([ONE]).current, NOW - timedelta(days=1))
ENC = Key("e1", "enc", Masters([ONE]).current, NOW - timedelta(days=1))


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def ring(*keys: Key, masters: tuple[bytes, ...] = (ONE,)) -> KeyRing:
    made = KeyRing(Masters(masters))
    made.load(keys)
    return made


def header(token: str) -> dict[str, str]:
    part = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def issued(at: datetime) -> dict[str, Any]:
    """What a token says that was made then and is good for a minute."""
    ids = {name: str(UUID(int=7 << 76 | 2 << 62)) for name in ("sub", "sid", "jti")}
    begins = int(at.timestamp())
    return {**CLAIMS, **ids, "client_id": "web", "iat": begins, "exp": begins + 60}


def checker(keys: KeyRing) -> TokenChecker:
    """A verifier that has heard of these keys, half a minute later."""
    known = PublicKeys(Trust(keys.masters.root_thumbprint()))
    for each in keys.public_records():
        known.read(a_record(each.model_dump_json().encode(), key=each.kid.encode()))
    rules = Rules(CLAIMS["iss"], "web", timedelta(seconds=5), "accept")
    return TokenChecker(rules, known, EndedSessions(), lambda: NOW + timedelta(seconds=30))


def key_set(keys: KeyRing) -> KeySet:
    return KeySet.import_key_set({"keys": [{**key} for key in keys.jwks()["keys"]]})


def test_a_new_installation_gets_one_key_of_each_use_under_random_names() -> None:
    masters = Masters([ONE])

    keys = first_keys(NOW, masters) + first_keys(NOW, masters)

    assert [key.use for key in keys] == ["sig", "enc", "sig", "enc"]
    assert len({key.kid for key in keys}) == 4
    assert {(key.master, key.not_before, key.retired_at) for key in keys} == {
        (masters.current, NOW, None)
    }


def test_an_access_token_is_at_jwt_signed_with_eddsa_and_readable_by_any_jose_library() -> None:
    keys = ring(SIG, ENC)

    token = keys.sign(CLAIMS)

    assert header(token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": "s1"}
    with pytest.warns(SecurityWarning, match="EdDSA"):
        read = jwt.decode(token, key_set(keys), algorithms=["EdDSA"])
    assert read.claims == CLAIMS


def test_the_same_claims_give_the_same_token_in_another_process_and_after_a_change_of_masters() -> (
    None
):
    before, after = ring(SIG), ring(SIG, masters=(TWO, ONE))

    assert before.sign(CLAIMS) == after.sign(CLAIMS)


def test_the_newest_key_that_serves_signs() -> None:
    older = replace(SIG, kid="older", not_before=NOW - timedelta(days=9))
    retired = replace(SIG, kid="retired", not_before=NOW - timedelta(hours=1), retired_at=NOW)
    announced = replace(SIG, kid="announced", not_before=NOW + timedelta(seconds=1))

    keys = ring(older, SIG, retired, announced)

    assert header(keys.sign(CLAIMS))["kid"] == "s1"
    assert {key["kid"] for key in keys.jwks()["keys"]} == {"older", "s1", "retired", "announced"}


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_a_token_has_the_key_of_its_own_time_whatever_the_clock_of_its_process_says(
    monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(seconds=late))
    change = NOW + timedelta(seconds=0.5)
    keys = ring(replace(SIG, retired_at=change), replace(SIG, kid="s2", not_before=change))
    times = [NOW + timedelta(seconds=each) for each in (-10, 0, 10)]

    tokens = [keys.sign(issued(at)) for at in times]

    assert [header(each)["kid"] for each in tokens] == ["s1", "s2", "s2"]
    assert [checker(keys).verify(each).issued_at for each in tokens] == times


def test_without_a_key_that_serves_nothing_is_signed() -> None:
    with pytest.raises(LookupError, match="no sig key"):
        ring(ENC).sign(CLAIMS)


def test_a_seal_is_opened_by_the_key_that_it_names_also_when_that_one_has_retired() -> None:
    keys = ring(SIG, replace(ENC, retired_at=NOW - timedelta(hours=1)))
    [public] = [record.jwk for record in keys.public_records() if record.use == "enc"]
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": public["kid"]}

    sealed = jwe.encrypt_compact(protected, b"said", ECKey.import_key({**public}))

    found = keys.sealing("e1")
    assert found is not None
    assert found[1] == ENC.master
    assert jwe.decrypt_compact(sealed, ECKey.import_key(found[0])).plaintext == b"said"
    assert keys.sealing("s1") is None
    assert keys.sealing("unknown") is None


def test_public_records_are_believed_under_the_pinned_root_and_no_other() -> None:
    keys = ring(SIG, ENC)
    records = keys.public_records()

    assert [record.kid for record in records] == ["e1", "s1"]
    assert all(Trust(keys.masters.root_thumbprint()).accept(record) for record in records)
    assert not any(
        Trust(ring(masters=(TWO,)).masters.root_thumbprint()).accept(each) for each in records
    )
    forged = records[0].model_copy(update={"jwk": records[1].jwk})
    assert not Trust(keys.masters.root_thumbprint()).accept(forged)


def test_keys_of_the_previous_master_stay_believed_under_its_root() -> None:
    keys = ring(SIG, masters=(TWO, ONE))

    [record] = keys.public_records()

    assert Trust(ring(masters=(ONE,)).masters.root_thumbprint()).accept(record)
    assert not Trust(keys.masters.root_thumbprint()).accept(record)


def test_no_private_half_is_shown() -> None:
    keys = ring(SIG, ENC)

    shown = json.dumps(keys.jwks()) + str(keys.public_records()) + repr(keys)

    assert '"d"' not in shown
    assert "'d'" not in shown
    assert {"kty", "crv", "kid", "use", "alg"} <= keys.jwks()["keys"][0].keys()


@pytest.mark.parametrize("key", [SIG, ENC], ids=["sig", "enc"])
def test_a_key_whose_master_is_gone_is_refused_when_loaded_and_the_old_keys_stay(key: Key) -> None:
    keys = ring(masters=(TWO,))
    ours = first_keys(NOW, keys.masters)
    keys.load(ours)
    before = keys.jwks()

    with pytest.raises(MasterKeyError, match="not in the list"):
        keys.load([*ours, key])

    assert keys.jwks() == before
    assert keys.sign(CLAIMS)


def test_what_a_key_signed_is_over_when_nothing_needs_the_key_any_more() -> None:
    token = ring(SIG).sign(CLAIMS)
    for ago, claims in ((0, CLAIMS), (10, CLAIMS), (11, None), (60, None)):
        retired = replace(SIG, retired_at=NOW - timedelta(minutes=ago))

        assert ring(retired).verified(token) == claims


def test_a_master_is_replaced_when_each_of_its_keys_has_retired() -> None:
    gone = [replace(each, retired_at=NOW) for each in (SIG, ENC)]
    other = replace(SIG, kid="s2", master=Masters([TWO]).current)

    replaced = ring(*gone, other, masters=(TWO, ONE))

    assert replaced.is_replaced(SIG.master)
    assert not replaced.is_replaced(other.master)
    assert not ring(SIG, gone[1], masters=(TWO, ONE)).is_replaced(SIG.master)


def test_a_master_that_has_no_key_is_replaced_unless_it_is_in_front() -> None:
    two = replace(SIG, kid="s2", master=Masters([TWO]).current)
    three = bytes(range(200, 232))

    assert ring(two, masters=(TWO, ONE)).is_replaced(SIG.master)
    assert ring(two, masters=(three, TWO, ONE)).is_replaced(SIG.master)
    assert ring(SIG, masters=(ONE, TWO)).is_replaced(two.master)
    assert not ring(SIG, masters=(TWO, ONE)).is_replaced(two.master)
