"""TLS from files that are looked at before each handshake: a new certificate needs no restart."""

import logging
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_LOG = logging.getLogger("authbus")
_Stamps = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files. `ca`: who may have signed the server's certificate; None: whom the system trusts.

    `certificate` and `key` are our own, for a server that asks for one (mTLS); the key may stand in
    the certificate's file.
    """

    ca: Path | str | None = None
    certificate: Path | str | None = None
    key: Path | str | None = None

    def context(self, *, check_host: bool = True) -> ssl.SSLContext:
        """A client's context that checks chain and host name; each handshake sees the files anew.

        Raises OSError when a file cannot be read, ssl.SSLError (one too) when it is no certificate.
        """
        return _Reread(self, check_host=check_host)

    def read(self, *, check_host: bool = True) -> ssl.SSLContext:
        """A context of what the files hold now."""
        context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = check_host
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # From Python 3.13 on it refuses what lacks an Authority Key Identifier, as certificates of
        # Strimzi and of companies' own authorities may. Chain and host name are checked without.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.sslobject_class = _Parting
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context

    def stamps(self) -> _Stamps:
        """What changes when a file is replaced or written."""
        files = [Path(each) for each in (self.ca, self.certificate, self.key) if each is not None]
        stats = [each.stat() for each in files]
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in stats)


class _Parting(ssl.SSLObject):
    """Says good-bye and waits for none.

    A broker may leave it unanswered, and event loops wait for half a minute then. Whoever closes a
    connection to Kafka or PostgreSQL has had all answers by then.
    """

    def unwrap(self) -> None:
        with suppress(ssl.SSLWantReadError):
            super().unwrap()


class _Reread(ssl.SSLContext):
    """Stands for the newest context that the files made; event loops ask `wrap_bio` alone.

    A pair that is half replaced, or a file that is away, leaves the one before in use.
    """

    def __new__(cls, files: Tls, *, check_host: bool) -> Self:
        del files, check_host
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, files: Tls, *, check_host: bool) -> None:
        self.check_hostname = check_host
        self._files = files
        self._seen = files.stamps()
        self._newest = files.read(check_host=check_host)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - as the base class has it
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        self._look()
        return self._newest.wrap_bio(
            incoming,
            outgoing,
            server_side=server_side,
            server_hostname=server_hostname,
            session=session,
        )

    def _look(self) -> None:
        try:
            stamps = self._files.stamps()
            if stamps != self._seen:
                fresh = self._files.read(check_host=self.check_hostname)
                self._newest, self._seen = fresh, stamps
        except OSError as error:
            _LOG.warning("TLS goes on with what the files held before: %s", error.strerror)
