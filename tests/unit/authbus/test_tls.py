"""Whose certificate is taken: chain and host name count, what newer Pythons ask beside does not."""

import ssl
from pathlib import Path

import pytest

from authbus.tls import Tls
from tests.rig.pki import Authority


@pytest.fixture(autouse=True)
def _strict_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Python 3.13, whatever this one is."""
    default = ssl.create_default_context

    def strict(*, cafile: str | None) -> ssl.SSLContext:
        context = default(cafile=cafile)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


def shaken(client: ssl.SSLContext, certificate: Path, host: str = "127.0.0.1") -> None:
    """A handshake in memory. Raises ssl.SSLError where the client refuses."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(back, there, server_hostname=host)
    answers = server.wrap_bio(there, back, server_side=True)
    for each in (asks, answers, asks):
        try:
            each.do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_a_certificate_that_does_not_name_its_signer_is_taken(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    unnamed = authority.issue("kafka", names_signer=False)

    shaken(Tls(authority.file).context(), unnamed)

    with pytest.raises(ssl.SSLCertVerificationError, match="Missing Authority Key Identifier"):
        shaken(ssl.create_default_context(cafile=str(authority.file)), unnamed)


def test_a_strangers_certificate_and_one_of_another_host_are_refused(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    client = Tls(authority.file).context()

    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        shaken(client, stranger.issue("kafka", names_signer=False))
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        shaken(client, authority.issue("kafka", names_signer=False), "127.0.0.2")
