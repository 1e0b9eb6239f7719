"""`python -m authbus seal` and `open`: a record made and an answer read, between other programs."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ValidationError

from authbus.client.outgoing import Sender
from authbus.contract import COMMANDS
from authbus.errors import AuthRejected
from authbus.message import Command
from authbus.public_keys import PublicKeys
from authbus.sealing import ReplyKey
from authbus.state import PublicKey
from authbus.strict_json import read_json
from authbus.trust import Trust
from authbus.uuid7 import uuid7


class ByHandError(ValueError):
    """What is wrong with a command, a key or a file; shows nothing that it holds."""


def reply_key(file: Path) -> ReplyKey:
    """The key pair in a PEM file, for example of `openssl genpkey`. Raises ByHandError."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, TypeError, ValueError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ByHandError(
            f"{file}: no private key on P-256 in PEM. Make one with: "
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
        )
    return ReplyKey(key)


def sealing_key(records: Iterable[bytes], trust: str | None) -> dict[str, str]:
    """The key to seal for, of the values of auth.state.keys.v1. Raises ByHandError."""
    keys = PublicKeys(Trust(trust or None))
    for value in filter(bytes.strip, records):
        try:
            keys.take(PublicKey.model_validate(read_json(value)))
        except ValueError:
            raise ByHandError(
                "this is no record of a key. Give the values of state.keys.v1, by line"
            ) from None
    found = keys.newest_sealing(datetime.now(UTC))
    if found is None:
        raise ByHandError(keys.absence())
    return dict(found)


def sealed(
    asked: bytes, sender: Sender, keys: dict[str, str], mine: ReplyKey, life: timedelta
) -> dict[str, Any]:
    """The record of a command: topic, key, headers and value, all of it text.

    `asked` is a JSON object: `type` (`LogIn` or `authbus.LogIn.v1`), `data` and, to ask again,
    `id`. Raises ByHandError.
    """
    command, command_id = _command(asked)
    lane = getattr(command, "session_id", None) or command_id
    try:
        record = sender.outgoing(
            command,
            key=str(lane),
            command_id=command_id,
            correlation_id=None,
            life=life,
            sealing_key=keys,
            reply_key=mine,
        )
    except (AuthRejected, ValueError):
        raise ByHandError(
            "the id is no UUIDv7, or the command is too large. Leave the id out, or send less"
        ) from None
    return {
        "topic": record.topic,
        "key": record.key.decode(),
        "headers": {name: value.decode() for name, value in record.headers},
        "value": record.value.decode(),
    }


def _command(asked: bytes) -> tuple[Command, UUID]:
    try:
        found = read_json(asked)
        kind, data = str(found["type"]), found["data"]
        command_id = UUID(found["id"]) if "id" in found else uuid7()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ByHandError(
            "no JSON object with type, data and perhaps an id. See: python -m authbus seal --help"
        ) from None
    model = COMMANDS.get(kind) or COMMANDS.get(f"authbus.{kind}.v1")
    if model is None:
        raise ByHandError("there is no such command. The contract names them all")
    try:
        return model.model_validate_json(json.dumps(data)), command_id
    except ValidationError as error:
        wrong = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        raise ByHandError(
            f"not as the command's schema has it: {', '.join(wrong)}. Mend these"
        ) from None
