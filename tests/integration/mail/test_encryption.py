"""Nothing is handed to a server that is not the one that the settings mean."""

import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authbus_service.core.mail_settings import Encryption, SmtpServer
from authbus_service.mail import Smtp
from authbus_service.mail.carriers import Failure
from tests.rig.post import posting


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this machine, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.public_bytes(Encoding.PEM)
    )
    return file


def a_message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "no-reply@example.com", "ana@example.com"
    message.set_content("hello")
    return message


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def to(port: int) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, Encryption.STARTTLS)


async def test_a_server_without_starttls_gets_nothing() -> None:
    with posting() as post:
        (failure,) = [each async for each in Smtp(to(post.port))([a_message()])]

    assert isinstance(failure, Failure)
    assert not failure.for_good
    assert post.taken == []


async def test_a_server_with_a_strangers_certificate_gets_nothing(certificate: Path) -> None:
    with posting(tls_context=server_side(certificate), require_starttls=True) as post:
        (failure,) = [each async for each in Smtp(to(post.port))([a_message()])]

    assert isinstance(failure, Failure)
    assert not failure.for_good
    assert post.taken == []


async def test_a_server_with_the_right_certificate_gets_the_message(certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    with posting(tls_context=server_side(certificate), require_starttls=True) as post:
        results = [each async for each in Smtp(to(post.port), trusting)([a_message()])]

    assert results == [None]
    assert post.recipients == ["ana@example.com"]
