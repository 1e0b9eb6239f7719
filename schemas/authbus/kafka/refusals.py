"""Why Kafka does not take a client, in words that a person can act on. No text repeats a secret."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

_REQUEST_MS = 5_000
_SILENT = "closed the connection without a word: is this the port for {protocol}"
_WANTS = {
    "PLAINTEXT": "?",
    "SSL": ", and does it want a certificate of ours that it knows, or a log-in?",
    "SASL_PLAINTEXT": "?",
    "SASL_SSL": "?",
}


async def refusal(servers: str | Sequence[str], arguments: Mapping[str, Any]) -> str | None:
    """Try each address once; None when one takes us, else the reason that tells most.

    `arguments` are aiokafka's keyword arguments.
    """
    reasons: list[str] = []
    for host, port, _ in collect_hosts(servers, randomize=False):
        try:
            await _knock(host, port, arguments)
        except (KafkaError, OSError, EOFError, TimeoutError, ValueError) as error:
            reasons.append(_told(error, arguments))
        else:
            return None
    return _most_telling(reasons)


async def _knock(host: str, port: int, arguments: Mapping[str, Any]) -> None:
    connection = await create_conn(host, port, request_timeout_ms=_REQUEST_MS, **arguments)
    try:
        async with asyncio.timeout(_REQUEST_MS / 1000):
            answer: Any = await connection.send(MetadataRequest([]))
        # aiokafka takes a broker's no to a token for a yes; then nothing that follows is an answer.
        if not answer.brokers and arguments.get("sasl_mechanism") == "OAUTHBEARER":
            raise SaslAuthenticationFailed
    finally:
        connection.close()


def _told(error: BaseException, arguments: Mapping[str, Any]) -> str:
    protocol = arguments.get("security_protocol", "PLAINTEXT")
    mechanism = arguments.get("sasl_mechanism")
    match error:
        case SaslAuthenticationFailed() | UnsupportedSaslMechanismError() if mechanism:
            return _log_in(error, arguments)
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not to be trusted ({error.verify_message}). Is the CA that "
                "signed it in the file, and does it name this host?"
            )
        case ssl.SSLError():
            return (
                f"TLS was refused ({error.reason or type(error).__name__}). Is this the port for "
                "TLS, and does the broker want a certificate of ours that it knows?"
            )
        case FileNotFoundError() | PermissionError():
            return f"{error.filename} cannot be read: {error.strerror}"
        case ConnectionRefusedError():
            return "nobody listens there"
        case TimeoutError():
            return f"no answer in time: is this the port for {protocol}?"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return _SILENT.format(protocol=protocol) + _WANTS[protocol]


def _log_in(error: BaseException, arguments: Mapping[str, Any]) -> str:
    mechanism, user = arguments["sasl_mechanism"], arguments.get("sasl_plain_username")
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"it does not take {mechanism}. Choose a mechanism that the listener enables"
    if user is None:
        return "it does not take the token. Has it expired, and is it for this cluster?"
    return f"it does not take the password of {user} by {mechanism}. Has it been changed?"


def _most_telling(reasons: Iterable[str]) -> str:
    """A broker that answers tells more than one that is away."""
    ordered = sorted(reasons, key=lambda each: each == "nobody listens there")
    return ordered[0] if ordered else "no address is given"
