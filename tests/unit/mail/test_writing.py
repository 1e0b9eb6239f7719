"""A queued mail becomes the same message each time, and no text of its own becomes a header."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from authbus_service.auth.mails import Template
from authbus_service.core.ids import new_id
from authbus_service.core.mail_settings import parse_sender
from authbus_service.mail import Writing
from authbus_service.outbox.mails import QueuedMail
from tests.rig.made import MASTERS, NOW
from tests.rig.post import parts

BASE = "https://example.com/account"
WRITING = Writing(MASTERS, parse_sender('"R&D <Example>" <no-reply@example.com>'), BASE)


def a_mail(template: str) -> QueuedMail:
    return QueuedMail(
        id=new_id(),
        template=template,
        user_id=new_id(),
        address="ana@example.org",
        command_id=new_id(),
        content=b"digest",
        master=MASTERS.current,
        made_at=NOW,
        expires_at=NOW + timedelta(days=1),
        due_at=NOW,
    )


@pytest.mark.parametrize("template", [*Template])
def test_every_template_is_there_in_text_and_html(template: Template) -> None:
    mail = a_mail(template)

    message = WRITING(mail)
    text, html = parts(message)

    assert message["To"] == "ana@example.org"
    assert message["Message-ID"] == f"<{mail.id}@example.com>"
    assert message["Subject"].startswith("R&D <Example>: ")
    assert "R&amp;D &lt;Example&gt;" in html
    assert "<Example>" not in html
    assert not re.search(r"\{[{%]", text + html)
    assert bytes(message) == bytes(WRITING(mail))


@pytest.mark.parametrize(
    ("template", "page"),
    [
        (Template.VERIFY_EMAIL, "verify-email"),
        (Template.CHANGE_EMAIL, "change-email"),
        (Template.RESET_PASSWORD, "reset-password"),
        (Template.FORCE_RESET, "reset-password"),
    ],
)
def test_a_link_carries_the_code_that_the_command_derives(template: Template, page: str) -> None:
    mail = a_mail(template)
    assert template.purpose is not None
    code = MASTERS.code(template.purpose, mail.command_id, mail.content, mail.master)

    message = WRITING(mail)

    assert all(f"{BASE}/{page}?code={code}" in part for part in parts(message))
    assert code not in f"{message['Subject']} {message['Message-ID']} {mail}"


@pytest.mark.parametrize("template", [Template.EMAIL_CHANGED, Template.PASSWORD_CHANGED])
def test_a_notice_says_when_and_has_no_link(template: Template) -> None:
    text, html = parts(WRITING(a_mail(template)))

    assert "2026-01-02 03:04 UTC" in text
    assert "http" not in text + html


@pytest.mark.parametrize(
    "address", ["ana@example.org\r\nBcc: eve@example.org", "ana@example.org\nX: y", "no address"]
)
def test_an_address_that_would_break_a_header_makes_no_message(address: str) -> None:
    with pytest.raises(ValueError, match=r"[Aa]ddr|CR or LF|domain"):
        WRITING(replace(a_mail(Template.VERIFY_EMAIL), address=address))


@pytest.mark.parametrize("change", [{"template": "none"}, {"master": "00000000"}])
def test_a_row_of_an_unknown_template_or_master_makes_no_message(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not"):
        WRITING(replace(a_mail(Template.VERIFY_EMAIL), **change))  # pyright: ignore[reportArgumentType]
