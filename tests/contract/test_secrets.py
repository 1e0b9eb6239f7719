"""No file of the repository holds what would let somebody in."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.test_house import tracked

# A private key as PEM or JWK, a master key, tokens of well-known hosts.
KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    rb"|\"d\": ?\"[\w-]{43}\""
    rb"|AUTHBUS_MASTER_KEY[=:] ?[\"']?[\w+/-]{42,}"
    rb"|\bAKIA[0-9A-Z]{16}\b|\bgh[opsur]_\w{36}|\bxox[abprs]-[\w-]{10,}|\bsk_live_\w{20,}"
)
IN_URL = re.compile(rb"://[^\s/:@\"'`{}()<>]{1,100}:([^\s/@\"'`{}<>]{1,100})@[\w{$\[]")
ASSIGNED = re.compile(
    rb"(?:passw(?:or)?d|passphrase|secret|token|api_?key|private_?key|credential)[\w.-]{0,40}[\"']?"
    rb"\s*(?::=|=>|[:=])\s*[rbf]*[\"']?([A-Za-z0-9+/_=-]{20,})",
    re.IGNORECASE,
)
# Words of examples and tests; the last two of docker-compose.yml and of a manifest's variable.
PLAIN = {
    *(b"secret", b"password", b"se%3Acret", b"plain", b"b", b"hidden-word", b"hunter2"),
    *(b"authbus", b"$(POSTGRES_PASSWORD)"),
}
# The first part of a token alone: an algorithm's name, to be hidden in a log.
KNOWN = {b"eyJhbGciOiJFZERTQSJ9"}
CHANCE = 3.5


def looks_made_by_chance(value: bytes) -> bool:
    """Whether a text has a digit and as many bits a character as no word or name has."""
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits >= CHANCE and any(chr(each).isdigit() for each in value)


def secrets(data: bytes) -> Iterator[str]:
    """What in this file gives access, or looks as if it did."""
    yield from (hit.group().decode() for hit in KEY.finditer(data))
    yield from (hit.group().decode() for hit in IN_URL.finditer(data) if hit[1] not in PLAIN)
    for hit in ASSIGNED.finditer(data):
        if hit[1] not in KNOWN and looks_made_by_chance(hit[1]):
            yield hit.group().decode()


def test_no_file_holds_a_secret(repository: Path) -> None:
    found = {
        path: told
        for path in tracked(repository)
        if (told := [*secrets((repository / path).read_bytes())])
    }

    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC " + "PRIVATE KEY-----",
        json.dumps({"kty": "OKP", "d": "x" * 43}),
        "AUTHBUS_MASTER_KEY=" + "A" * 43 + "=",
        "xoxb-" + "1234567890",
        "postgresql://authbus" + ":vR7kq2Lx@db.example.com/authbus",
        "https://ci" + ":hunter3@mirror.example.com/simple",
        "smtp_password = " + '"q8Zt3LmX0vB5nRw2Kd7Y"',
        '{"client_secret"' + ': "9fK2-xPqL_7TzR4mWbV1"}',
        "AWS_SECRET_ACCESS_KEY" + "=wJ4lrXUtnF3MI/K7MDENG/bPxRfiCY",
    ],
)
def test_a_secret_is_found(text: str) -> None:
    assert [*secrets(text.encode())]


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:password@host:5432/name",
        'refresh_token="an-opaque-refresh-token"',
        "CompletePasswordReset: complete_password_reset",
        'password_hash="$argon2id$v=19$m=8,t=1,p=1"',
        "http://127.0.0.1:8080/a@b",
    ],
)
def test_an_example_is_none(text: str) -> None:
    assert [*secrets(text.encode())] == []
