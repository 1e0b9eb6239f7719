"""`python -m authbus seal` and `open`."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authbus.__main__ import main
from authbus.sealing import Seal, public_jwk, seal
from authbus.signing import thumbprint
from authbus.trust import sign_key
from authbus.uuid7 import uuid7

ROOT = Ed25519PrivateKey.generate()
PIN = thumbprint(ROOT.public_key())
SERVICE = generate_private_key(SECP256R1())
LOG_IN = {"email": "ana@example.com", "password": "correct horse battery"}


def keep(key: EllipticCurvePrivateKey, place: Path) -> Path:
    form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    place.write_bytes(key.private_bytes(*form))
    return place


class Hand:
    """The two commands, with a key of the service and one for the answer in files."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, curve: EllipticCurve) -> None:
        at = datetime.now(UTC) - timedelta(hours=1)
        fields = {"kid": "k1", "use": "enc", "jwk": public_jwk(SERVICE.public_key())}
        record = sign_key({**fields, "not_before": at, "retired_at": None}, ROOT)
        self.keys = folder / "keys"
        self.keys.write_text(f"{record.model_dump_json()}\n\n")
        self.mine = generate_private_key(curve)
        self.once = keep(self.mine, folder / "once.pem")
        self._patch = patch

    def does(self, *arguments: str, given: str) -> int:
        self._patch.setattr(sys, "argv", ["authbus", *arguments, "--reply-key", str(self.once)])
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        return main()

    def seals(self, asked: object, trust: str = PIN) -> int:
        options = ("--client", "web", "--keys", str(self.keys), "--trust", trust)
        return self.does("seal", *options, given=json.dumps(asked))


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    return Hand(tmp_path, monkeypatch, SECP256R1())


def test_a_sealed_command_has_topic_headers_and_a_reply_key_and_the_service_opens_it(
    hand: Hand, capsys: pytest.CaptureFixture[str]
) -> None:
    command_id = str(uuid7())

    assert hand.seals({"type": "LogIn", "data": LOG_IN, "id": command_id}) == 0

    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    payload = json.loads(Seal.read(record["value"].encode()).open(SERVICE))
    assert record["topic"] == "auth.commands.credentials.v1"
    assert record["headers"]["ce_type"] == payload["type"] == "authbus.LogIn.v1"
    assert record["headers"]["ce_id"] == record["headers"]["correlation_id"] == command_id
    assert record["headers"]["reply_to"] == "auth.replies.web"
    assert payload["data"] == LOG_IN
    assert payload["reply_key"].items() >= public_jwk(hand.mine.public_key()).items()
    assert "ana" not in json.dumps({**record, "value": ""})


def test_an_answer_that_was_sealed_to_the_key_is_opened(
    hand: Hand, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = seal(b'{"user_id": "u"}', public_jwk(hand.mine.public_key())).decode()

    assert hand.does("open", given=f"{answer}\n") == 0
    assert json.loads(capsys.readouterr().out) == {"user_id": "u"}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"type": "LogIn", "data": LOG_IN | {"passwort": "x"}}, "passwort"),
        ({"type": "LogIn", "data": {"email": "ana@example.com"}}, "password"),
        ({"type": "LogOver", "data": LOG_IN}, "no such command"),
        ({"type": "LogIn"}, "type, data"),
        ({"type": "LogIn", "data": LOG_IN, "id": "1"}, "type, data"),
        ({"type": "LogIn", "data": LOG_IN, "id": f"{'a' * 8}-0000-4000-8000-{'a' * 12}"}, "UUIDv7"),
    ],
)
def test_a_command_that_would_be_refused_is_not_sealed_and_not_shown(
    hand: Hand, capsys: pytest.CaptureFixture[str], asked: object, why: str
) -> None:
    assert hand.seals(asked) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert why in err
    assert "horse" not in err


def test_its_help_names_the_program_that_was_called(
    hand: Hand, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        hand.does("seal", "--help", given="")

    assert capsys.readouterr().out.startswith("usage: python -m authbus seal ")


def test_nothing_is_sealed_for_a_key_of_another_root(
    hand: Hand, capsys: pytest.CaptureFixture[str]
) -> None:
    for trust in ("another", "-" + PIN[1:]):
        assert hand.seals({"type": "LogIn", "data": LOG_IN}, trust=trust) == 1
    assert "another root key" in capsys.readouterr().err


def test_a_reply_key_on_another_curve_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hand = Hand(tmp_path, monkeypatch, SECP384R1())

    assert hand.seals({"type": "LogIn", "data": LOG_IN}) == 1
    assert "P-256" in capsys.readouterr().err
