"""A queued mail becomes a message: its template is filled in, its code is derived again.

Everything in it follows from the row, the masters and the settings, its Message-ID too: a mail that
is sent a second time is the same message. Nothing of it is ever logged.
"""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from authbus_service.auth.mails import Template
from authbus_service.core.security.masters import Masters
from authbus_service.outbox.mails import QueuedMail

_PAGES = {
    Template.VERIFY_EMAIL: "verify-email",
    Template.CHANGE_EMAIL: "change-email",
    Template.RESET_PASSWORD: "reset-password",
    Template.FORCE_RESET: "reset-password",
}
_SUBJECT = "Subject: "
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Writing:
    """`sender` is in From, its name or domain in the text; `link_base` begins every link."""

    masters: Masters
    sender: Address
    link_base: str

    def __call__(self, mail: QueuedMail) -> EmailMessage:
        """The message. Raises ValueError for a template, a master or an address that is none."""
        template = Template(mail.template)
        filled = {
            "service": self.sender.display_name or self.sender.domain,
            "link": self._link(template, mail),
            "hours": round(template.lifetime.total_seconds() / _HOUR),
            "at": mail.made_at.strftime("%Y-%m-%d %H:%M UTC"),
        }
        plain = _templates().get_template(f"{template}.txt").render(filled)
        subject, _, text = plain.partition("\n")
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = Address(addr_spec=mail.address)
        message["Subject"] = subject.removeprefix(_SUBJECT)
        message["Date"] = mail.made_at
        message["Message-ID"] = f"<{mail.id}@{self.sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.lstrip())
        html = _templates().get_template(f"{template}.html").render(filled)
        message.add_alternative(html, subtype="html")
        message.set_boundary(mail.id.hex)
        return message

    def _link(self, template: Template, mail: QueuedMail) -> str:
        if template.purpose is None:
            return ""
        code = self.masters.code(template.purpose, mail.command_id, mail.content, mail.master)
        return f"{self.link_base}/{_PAGES[template]}?code={quote(code)}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("authbus_service.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
