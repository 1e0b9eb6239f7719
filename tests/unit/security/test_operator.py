"""An operator's proof is made with the operators' key, and nothing else is taken for one."""

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta

import pytest

from authbus import base64url
from authbus.signing import canonical, sign, take_apart
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import Operator, operator_token, read_operator
from tests.rig.made import MASTERS, NOW

ISSUER = "authbus/auth"
ID = new_id()
RIGHT = operator_token(MASTERS, issuer=ISSUER, command_id=ID, at=NOW)
PARTS = take_apart(RIGHT)
KEY = MASTERS.operator_key()
STRANGER = Masters([bytes(range(2, 34))])
BODY = RIGHT.split(".")[1]


def unsigned(alg: object, signature: bytes) -> str:
    header = base64url.encode(canonical({**PARTS.header, "alg": alg}))
    return f"{header}.{BODY}.{base64url.encode(signature)}"


def hmac_by(secret: bytes) -> str:
    header = base64url.encode(canonical({**PARTS.header, "alg": "HS256"}))
    tag = hmac.digest(secret, f"{header}.{BODY}".encode(), hashlib.sha256)
    return f"{header}.{BODY}.{base64url.encode(tag)}"


def typed(typ: str | None) -> str:
    return sign({**PARTS.header, "typ": typ}, PARTS.body, KEY)


def without(claim: str) -> str:
    return sign(PARTS.header, {n: each for n, each in PARTS.body.items() if n != claim}, KEY)


FORGED = {
    **{f"alg {alg}": unsigned(alg, PARTS.signature) for alg in ("none", "None", "NONE", "", None)},
    "alg none, unsigned": unsigned("none", b""),
    "unsigned": unsigned("EdDSA", b""),
    "an HMAC by the public key": hmac_by(KEY.public_key().public_bytes_raw()),
    "an HMAC by nothing": hmac_by(b""),
    "of an access token's type": typed("at+jwt"),
    "of a key's type": typed("JWT"),
    "of no type": typed(None),
    "by the root key": sign(PARTS.header, PARTS.body, MASTERS.root_key()),
    "by the key of tokens": sign(
        PARTS.header, PARTS.body, MASTERS.signing_key("k", MASTERS.current)
    ),
    "of another installation by our name": sign(PARTS.header, PARTS.body, STRANGER.operator_key()),
    "of another installation": operator_token(STRANGER, issuer=ISSUER, command_id=ID, at=NOW),
    "of another namespace": operator_token(MASTERS, issuer="authbus/b", command_id=ID, at=NOW),
    "for no command": without("jti"),
    "for ever": without("exp"),
    "of nobody": without("iss"),
}


@pytest.mark.parametrize("name", FORGED)
def test_no_forged_proof_is_an_operators(name: str) -> None:
    assert read_operator(FORGED[name], issuer=ISSUER, keyring=KeyRing(MASTERS)) is None


def test_the_proof_that_was_forged_is_good_itself() -> None:
    found = read_operator(RIGHT, issuer=ISSUER, keyring=KeyRing(MASTERS))

    assert found == Operator(ID, NOW + timedelta(minutes=2))


def test_a_master_that_was_replaced_commands_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    keyring = KeyRing(Masters([bytes(range(2, 34)), bytes(range(32))]))
    serving, new = first_keys(NOW, MASTERS), first_keys(NOW, keyring.masters)
    retired = [replace(each, retired_at=NOW) for each in serving]
    found: list[Operator | None] = []

    for keys in (serving, [*retired, *new], new):
        keyring.load(keys)
        found.append(read_operator(RIGHT, issuer=ISSUER, keyring=keyring))

    assert found == [Operator(ID, NOW + timedelta(minutes=2)), None, None]
