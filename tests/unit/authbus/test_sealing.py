"""What is sealed is read by the key's owner alone; whatever else arrives, the answer is one."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey

from authbus import sealing
from authbus.paging import MOST_BYTES
from authbus.sealing import ReplyKey, Seal, SealError, public_jwk, seal

CANARY = b'{"password":"canary-51c0"}'
OWNER = generate_private_key(SECP256R1())
PUBLIC = public_jwk(OWNER.public_key()) | {"kid": "k1"}
THEIRS = ECKey.import_key(OWNER, {"kid": "k1"})
PLAIN = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": "k1"}


def encoded(part: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


def with_header(value: bytes, **changed: object) -> bytes:
    head, _, rest = value.partition(b".")
    header = json.loads(base64.urlsafe_b64decode(head + b"=="))
    header = {name: at for name, at in (header | changed).items() if at is not None}
    return encoded(header) + b"." + rest


def refused(value: bytes, key: EllipticCurvePrivateKey = OWNER) -> None:
    with pytest.raises(SealError) as raised:
        Seal.read(value).open(key)
    error: BaseException = raised.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert "canary" not in repr(error)


def test_a_seal_is_opened_by_its_owner() -> None:
    value = seal(CANARY, PUBLIC)

    assert (Seal.read(value).kid, Seal.read(value).open(OWNER)) == ("k1", CANARY)
    assert b"canary" not in value


def test_two_seals_of_one_payload_have_nothing_in_common() -> None:
    one, two = (seal(CANARY, PUBLIC).split(b".") for _ in range(2))

    assert not {one[0], *one[2:]} & {two[0], *two[2:]}


def test_any_jose_library_can_seal_for_us_and_open_what_we_seal() -> None:
    theirs = jwe.encrypt_compact(PLAIN, CANARY, ECKey.import_key({**PUBLIC})).encode()

    assert Seal.read(theirs).open(OWNER) == CANARY
    assert jwe.decrypt_compact(seal(CANARY, PUBLIC), THEIRS).plaintext == CANARY


def test_a_reply_is_opened_by_its_one_time_key_alone() -> None:
    key, other = ReplyKey(), ReplyKey()
    value = seal(CANARY, key.public)

    assert key.open(value) == CANARY
    with pytest.raises(SealError):
        other.open(value)


def test_a_reply_key_without_kid_is_good_enough() -> None:
    key = ReplyKey()
    public = {name: key.public[name] for name in ("kty", "crv", "x", "y")}

    assert key.open(seal(CANARY, public)) == CANARY


def test_a_compressed_seal_is_refused_before_it_is_opened() -> None:
    bomb = jwe.encrypt_compact(PLAIN | {"zip": "DEF"}, bytes(50_000), THEIRS).encode()

    refused(bomb)
    with pytest.raises(SealError):
        Seal.read(bomb)


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "dir"},
        {"alg": "ECDH-ES+A256KW"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"crit": ["exp"]},
        {"jku": "https://example.com"},
        {"p2c": 1_000_000_000},
        {"epk": None},
        {"epk": "text"},
        {"kid": 7},
        {"kid": ""},
        {"kid": "k" * 129},
        {"kid": None},
        {"alg": None},
    ],
)
def test_a_header_of_another_kind_names_no_key(changed: dict[str, object]) -> None:
    with pytest.raises(SealError):
        _ = Seal.read(with_header(seal(CANARY, PUBLIC), **changed)).kid


def test_headers_that_say_how_to_read_the_payload_are_allowed() -> None:
    header = PLAIN | {"cty": "json", "typ": "JOSE", "apu": "YQ", "apv": "Yg"}
    value = jwe.encrypt_compact(header, CANARY, THEIRS).encode()

    assert (Seal.read(value).kid, Seal.read(value).open(OWNER)) == ("k1", CANARY)


@pytest.mark.parametrize("part", range(5))
def test_a_seal_that_was_altered_anywhere_is_refused(part: int) -> None:
    parts = seal(CANARY, PUBLIC).split(b".")
    first = b"A" if parts[part][:1] != b"A" else b"B"
    parts[part] = first + parts[part][1:]

    refused(b".".join(parts))


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    off = {"kty": "EC", "crv": "P-256", "x": PUBLIC["x"], "y": PUBLIC["x"]}

    refused(with_header(seal(CANARY, PUBLIC), epk=off))
    with pytest.raises(SealError):
        seal(CANARY, off)


@pytest.mark.parametrize(
    "key",
    [
        {},
        PUBLIC | {"kty": "OKP"},
        PUBLIC | {"crv": "P-384"},
        PUBLIC | {"x": ""},
        PUBLIC | {"x": "=="},
        {"kty": "EC", "crv": "P-256", "x": PUBLIC["x"]},
        THEIRS.as_dict(private=True),
        PUBLIC | {"kid": 7},
        PUBLIC | {"x": 7},
    ],
)
def test_nothing_is_sealed_for_a_key_that_is_none(key: dict[str, Any]) -> None:
    with pytest.raises(SealError):
        seal(CANARY, key)


def test_a_payload_that_would_not_fit_a_command_topic_is_not_sealed() -> None:
    with pytest.raises(SealError):
        seal(bytes(60_000), PUBLIC)


def test_a_page_is_sealed_under_an_id_of_any_letters_and_an_id_that_is_too_long_is_no_key() -> None:
    page, longest = bytes(MOST_BYTES), "\U0001f600" * 128

    assert len(seal(page, PUBLIC | {"kid": longest})) <= sealing.LARGEST_SEAL
    with pytest.raises(SealError):
        seal(CANARY, PUBLIC | {"kid": "k" * 129})


def test_what_is_longer_than_a_command_may_be_is_not_looked_at() -> None:
    with pytest.raises(SealError):
        Seal.read(seal(CANARY, PUBLIC) + b"A" * sealing.LARGEST_SEAL)


def test_a_key_of_another_curve_opens_nothing() -> None:
    refused(seal(CANARY, PUBLIC), generate_private_key(SECP384R1()))


@given(st.binary(max_size=200) | st.from_regex(rb"[\w-]{0,40}\.\.[\w-]{16}\.[\w-]{1,9}\.[\w-]{22}"))
def test_no_bytes_raise_anything_but_the_one_error(value: bytes) -> None:
    with pytest.raises(SealError):
        _ = Seal.read(value).kid
    with pytest.raises(SealError):
        Seal.read(value).open(OWNER)
