"""Settings of mail: what is meant is read, what would be unsafe is refused."""

import pytest
from pydantic import ValidationError

from authbus_service.core.config import Settings
from authbus_service.core.mail_settings import (
    Encryption,
    SmtpServer,
    parse_link_base,
    parse_sender,
    parse_smtp,
)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp://ana%40x:se%3Acret@mail.example.com",
            SmtpServer("mail.example.com", 587, Encryption.STARTTLS, "ana@x", "se:cret"),
        ),
        ("smtps://mail.example.com:4650", SmtpServer("mail.example.com", 4650, Encryption.TLS)),
        ("smtp+plain://[::1]", SmtpServer("::1", 25, Encryption.NONE)),
    ],
)
def test_a_url_names_the_server_and_its_encryption(url: str, server: SmtpServer) -> None:
    assert parse_smtp(url) == server
    assert "se:cret" not in repr(parse_smtp(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com",
        "mail.example.com:25",
        "smtp://",
        "smtp://mail.example.com:99999",
        "smtp://mail.example.com/inbox",
        "smtp+plain://ana:secret@mail.example.com",
    ],
)
def test_a_url_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(
            {"smtp_url": url, "mail_from": "a@b.c", "link_base_url": "http://a"}
        )

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "sender", ["nobody", "a@example.com\nBcc: b@example.com", "\u00e4@example.com", ""]
)
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="like: Example"):
        parse_sender(sender)


@pytest.mark.parametrize(
    "base", ["example.com", "javascript:alert(1)", "https://", "https://a.b/?x=1", "https://a.b/ c"]
)
def test_a_base_that_no_link_can_begin_with_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="like: https"):
        parse_link_base(base)


def test_sending_needs_a_sender_and_a_base() -> None:
    with pytest.raises(ValidationError, match="AUTHBUS_MAIL_FROM and AUTHBUS_LINK_BASE_URL"):
        Settings.model_validate({"smtp_url": "smtps://mail.example.com"})
