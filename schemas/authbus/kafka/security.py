"""How Kafka knows us, and how we know that it is Kafka."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection, SaslPlainAuthenticator, collect_hosts

from authbus.tls import Tls

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
# aiokafka makes no other connection while it waits for a token.
_TOKEN_SECONDS = 10.0


class InsecureConnectionError(ValueError):
    """A password or token would cross a network in the clear."""


class LogInError(ConnectionError):
    """What a log-in needs is not to be had now; the next connection asks for it anew.

    It is an OSError because aiokafka takes that for a broker that is away. Any other error in a
    log-in ends the tasks that make its connections, for good.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.strerror = reason


class PasswordFile:
    """Stands in a password's place and is read at each log-in to a broker; a last newline is cut.

    aiokafka asks a SCRAM password to `encode` itself; for PLAIN its `authenticator_plain` is ours.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def read(self) -> str:
        """What the file holds now. Raises OSError."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # it carries what was read
            text = None
        if text is None:
            raise LogInError(f"{self._path} is not UTF-8: write it elsewhere and move it there")
        return text.removesuffix("\n").removesuffix("\r")

    def encode(self, encoding: str) -> bytes:
        """The same as bytes."""
        return self.read().encode(encoding)


@dataclass(frozen=True, slots=True)
class SaslPassword:
    """A user name with a password, or with the file that holds it and is read at each log-in."""

    username: str
    password: str | None = field(default=None, repr=False)
    file: Path | str | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"

    def __post_init__(self) -> None:
        if (self.password is None) == (self.file is None):
            raise ValueError("a password, or a file with one, is needed; not both")

    def arguments(self) -> dict[str, Any]:
        """What aiokafka is told of it."""
        password = self.password if self.file is None else PasswordFile(self.file)
        return {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": password,
        }


@dataclass(frozen=True, slots=True)
class SaslTokens:
    """OAUTHBEARER: `provider` is asked for a token at each log-in to a broker.

    It has 10 s. Whatever it raises fails that log-in alone: the next one asks it again.
    """

    provider: Callable[[], Awaitable[str]] = field(repr=False)

    @classmethod
    def from_file(cls, path: Path | str) -> "SaslTokens":
        """Tokens that somebody else keeps fresh in a file, as Kubernetes does."""
        file = PasswordFile(path)

        async def read() -> str:
            return file.read().strip()

        return cls(read)

    def arguments(self) -> dict[str, Any]:
        """What aiokafka is told of it."""
        return {
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_provider": _Provider(self.provider),
        }


@dataclass(frozen=True, slots=True)
class Security:
    """One way to reach Kafka: with `tls` or in the clear, with a log-in or without one.

    A certificate in `tls` is a log-in of its own (mTLS).
    """

    tls: Tls | None = None
    log_in: SaslPassword | SaslTokens | None = None

    def arguments(self, servers: str | Sequence[str]) -> dict[str, Any]:
        """The keyword arguments of every client of aiokafka's.

        Raises InsecureConnectionError for a PLAIN password or a token without TLS that would leave
        this machine, OSError when a certificate cannot be read.
        """
        secret = isinstance(self.log_in, SaslTokens) or (
            self.log_in is not None and self.log_in.mechanism == "PLAIN"
        )
        if secret and self.tls is None and not _stays_here(servers):
            raise InsecureConnectionError(
                "a PLAIN password and a token are for TLS alone: others would read them on the way"
            )
        protocol = "PLAINTEXT" if self.tls is None else "SSL"
        found: dict[str, Any] = {} if self.tls is None else {"ssl_context": self.tls.context()}
        if self.log_in is not None:
            protocol = f"SASL_{protocol}"
            found |= self.log_in.arguments()
        return {"security_protocol": protocol, **found}


class _Provider(AbstractTokenProvider):
    def __init__(self, provider: Callable[[], Awaitable[str]]) -> None:
        self._provider = provider

    async def token(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride] - no types
        """The token. Raises OSError, whatever the provider raises, and after a while."""
        try:
            async with asyncio.timeout(_TOKEN_SECONDS):
                return await self._provider()
        except TimeoutError as error:
            raise LogInError(
                f"the token provider was too slow: it has {_TOKEN_SECONDS:g} s for a token"
            ) from error
        except OSError:
            raise
        except Exception as error:
            raise LogInError(
                f"the token provider raised {type(error).__name__}: mend it, it is asked again"
            ) from error


def _stays_here(servers: str | Sequence[str]) -> bool:
    hosts = [host.strip("[]") for host, _, _ in collect_hosts(servers)]
    return all(host == "localhost" or _is_loopback(host) for host in hosts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_usual_plain = AIOKafkaConnection.authenticator_plain


def _authenticator_plain(self: AIOKafkaConnection) -> SaslPlainAuthenticator:
    """As aiokafka does, but for a password that is in a file: that one is read first."""
    insides: Any = self
    password = insides._sasl_plain_password  # noqa: SLF001
    if not isinstance(password, PasswordFile):
        return _usual_plain(self)
    return SaslPlainAuthenticator(
        loop=insides._loop,  # noqa: SLF001
        sasl_plain_username=insides._sasl_plain_username,  # noqa: SLF001
        sasl_plain_password=password.read(),
    )


AIOKafkaConnection.authenticator_plain = _authenticator_plain
