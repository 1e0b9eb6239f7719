"""The record key of a command is whom its token names; it is never trusted."""

from uuid import UUID

import pytest

from authbus.base64url import encode
from authbus.client.keys import whose

USER = "019cade2-123b-8b0e-8f6d-2a9c41e7d058"


def a_token(payload: bytes) -> str:
    return f"e30.{encode(payload)}.AA"


def test_commands_by_tokens_of_one_user_have_one_key() -> None:
    tokens = [a_token(f'{{"sub":"{USER}","jti":"{number}"}}'.encode()) for number in range(2)]

    assert [whose(each) for each in tokens] == [USER, USER]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        "no token",
        "e30.!.AA",
        a_token(b"\xff"),
        a_token(b"[" * 100_000),
        a_token(b"[]"),
        a_token(b'{"sub":7}'),
        a_token('{"sub":"\u00e9"}'.encode()),
    ],
)
def test_what_names_nobody_has_a_key_of_its_own(token: str) -> None:
    assert UUID(whose(token)).version == 7
    assert whose(token) != whose(token)
