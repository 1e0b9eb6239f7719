"""What the settings of mail mean: an SMTP server's URL, a sender, the base of links."""

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Encryption(StrEnum):
    """How a connection is encrypted. The scheme of the URL tells."""

    TLS = "smtps"
    STARTTLS = "smtp"
    NONE = "smtp+plain"


_PORTS = {Encryption.TLS: 465, Encryption.STARTTLS: 587, Encryption.NONE: 25}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails are handed over; `user` is empty when it asks for none."""

    host: str
    port: int
    encryption: Encryption
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def parse_smtp(url: str) -> SmtpServer:
    """The server in `smtp[s]://user:password@host:port`. Raises ValueError without the URL."""
    try:
        parts = urlsplit(url)
        encryption = Encryption(parts.scheme)
        port = parts.port or _PORTS[encryption]
    except ValueError:
        raise ValueError(
            "it is none of smtp:// (STARTTLS), smtps:// (TLS) and smtp+plain:// (no encryption)"
        ) from None
    if not parts.hostname or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError("it must be user:password@host:port behind the scheme, and no more")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user and encryption is Encryption.NONE:
        raise ValueError("a password is not sent without encryption")
    return SmtpServer(parts.hostname, port, encryption, user, password)


def parse_sender(text: str) -> Address:
    """The sender in `Name <address>`. Raises ValueError."""
    name, address = parseaddr(text)
    if not text.isascii() or not text.isprintable() or "@" not in address:
        raise ValueError("it must be like: Example <no-reply@example.com>, in ASCII")
    return Address(name, addr_spec=address)


def parse_link_base(url: str) -> str:
    """The base of links, without a slash at its end. Raises ValueError."""
    parts = urlsplit(url)
    good = parts.scheme in {"http", "https"} and parts.hostname and url.isascii()
    if not good or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise ValueError("it must be like: https://example.com/account")
    return url.rstrip("/")
