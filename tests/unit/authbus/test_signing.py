"""Signatures of public keys and tokens: compact JWS, EdDSA and nothing else."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from authbus import base64url, signing
from authbus.signing import SignatureError, sign, take_apart, thumbprint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TOKEN = sign({"kid": "a"}, {"b": 1, "a": "é"}, KEY)


def part(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def test_what_is_signed_is_verified_by_its_key_alone() -> None:
    signed = take_apart(TOKEN)

    signed.verify(KEY.public_key())
    assert (signed.header, signed.body) == ({"alg": "EdDSA", "kid": "a"}, {"a": "é", "b": 1})
    with pytest.raises(SignatureError):
        signed.verify(Ed25519PrivateKey.generate().public_key())


def test_the_same_data_under_the_same_key_gives_the_same_signature() -> None:
    assert sign({"kid": "a"}, {"a": "é", "b": 1}, KEY) == TOKEN


@pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "Ed25519", None, ["EdDSA"]])
def test_another_algorithm_is_no_signature(alg: object) -> None:
    head = part({"alg": alg, "kid": "a"})

    with pytest.raises(SignatureError):
        take_apart(f"{head}.{TOKEN.partition('.')[2]}")


NO_SIGNATURES = [
    "",
    "a.b",
    TOKEN + ".x",
    TOKEN + "=",
    TOKEN.replace(".", ". ", 1),
    "é" + TOKEN,
    f"{part({'alg': 'EdDSA', 'crit': ['x']})}.{part({})}.AA",
    f"{part([])}.{part({})}.AA",
    f"{part({'alg': 'EdDSA'})}.{base64url.encode(b'[' * 5000)}.AA",
    f"{part({'alg': 'EdDSA'})}.{'A' * 20_000}.AA",
]


@pytest.mark.parametrize("token", NO_SIGNATURES, ids=map(str, range(len(NO_SIGNATURES))))
def test_what_is_no_compact_signature_is_refused(token: str) -> None:
    with pytest.raises(SignatureError):
        take_apart(token)


def test_a_signature_of_another_length_is_refused_even_where_it_is_one_of_other_bytes() -> None:
    signed = TOKEN.rpartition(".")[0]
    longer = KEY.sign(b"x" + signed.encode()) + b"x"

    for signature in (longer, longer[:63], b""):
        with pytest.raises(SignatureError):
            take_apart(f"{signed}.{base64url.encode(signature)}").verify(KEY.public_key())


def test_only_one_spelling_of_a_signature_is_accepted() -> None:
    last = TOKEN[-1]
    loose = next(letter for letter in "BCDE" if letter != last)

    with pytest.raises(SignatureError):
        take_apart(TOKEN[:-1] + loose).verify(KEY.public_key())


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    public = KEY.public_key()

    assert thumbprint(public) == OKPKey.import_key(public).thumbprint()


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 7},
        signing.public_jwk(KEY.public_key()) | {"d": "A" * 43},
    ],
)
def test_a_jwk_of_another_kind_is_no_key(jwk: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        signing.public_key(jwk)
