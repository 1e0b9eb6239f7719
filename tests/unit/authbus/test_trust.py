"""A public key counts when a pinned root signed exactly its record."""

import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus import signing
from authbus.sealing import ReplyKey
from authbus.signing import public_jwk, thumbprint
from authbus.state import PublicKey
from authbus.trust import Trust, sign_key

AT = datetime(2026, 3, 2, 9, 30, 0, 123456, UTC)
ROOT, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PIN = thumbprint(ROOT.public_key())
FIELDS: dict[str, Any] = {
    "kid": "k1",
    "use": "enc",
    "jwk": ReplyKey().public,
    "not_before": AT,
    "retired_at": None,
}
RECORD = sign_key(FIELDS, ROOT)


def test_a_record_signed_by_a_pinned_root_is_accepted() -> None:
    assert Trust(PIN).accept(RECORD)
    assert Trust(("another", PIN)).accept(RECORD)


def test_a_record_signed_by_another_root_is_refused() -> None:
    assert not Trust(PIN).accept(sign_key(FIELDS, OTHER))


@pytest.mark.parametrize(
    "changed",
    [
        {"kid": "k2"},
        {"use": "sig"},
        {"jwk": ReplyKey().public},
        {"not_before": AT + timedelta(microseconds=1)},
        {"retired_at": AT},
        {"signature": ""},
        {"signature": sign_key(FIELDS | {"kid": "k2"}, ROOT).signature},
    ],
)
def test_a_record_that_was_altered_is_refused(changed: dict[str, Any]) -> None:
    assert not Trust(PIN).accept(RECORD.model_copy(update=changed))


def test_another_spelling_of_the_same_moment_is_the_same_record() -> None:
    east = AT.astimezone(timezone(timedelta(hours=2)))

    assert Trust(PIN).accept(RECORD.model_copy(update={"not_before": east}))


def test_a_record_survives_the_way_over_kafka() -> None:
    again = PublicKey.model_validate_json(RECORD.model_dump_json())

    assert Trust(PIN).accept(again)


def test_a_signature_that_names_a_pinned_root_and_is_anothers_is_refused() -> None:
    body = signing.take_apart(RECORD.signature).body
    forged = signing.sign({"jwk": public_jwk(ROOT.public_key())}, body, OTHER)

    assert not Trust(PIN).accept(RECORD.model_copy(update={"signature": forged}))


def test_without_pins_the_first_root_is_kept_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "authbus")
    trust = Trust()

    accepted = [trust.accept(sign_key(FIELDS, root)) for root in (ROOT, OTHER, ROOT)]

    assert accepted == [True, False, True]
    (line,) = caplog.messages
    assert PIN in line


@pytest.mark.parametrize("pins", ["", (), ("",), (PIN, "")])
def test_an_empty_pin_is_a_mistake_and_not_trust_in_everybody(pins: tuple[str, ...] | str) -> None:
    with pytest.raises(ValueError, match="thumbprints"):
        Trust(pins)
