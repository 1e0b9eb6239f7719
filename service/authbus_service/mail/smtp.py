"""Mails handed over to an SMTP server, over one connection for each batch."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponse,
    SMTPResponseException,
)

from authbus_service.core.mail_settings import Encryption, SmtpServer
from authbus_service.mail.carriers import Failure

# For each answer but that to a whole message: see Carrier.
_SECONDS = 10.0
# For a name server, our own name, encryption and password together. With that and two answers more
# a message is begun before its time is over (mailer.py): what takes longer has perhaps gone.
_CONNECT_SECONDS = 30.0
_FOR_GOOD = 500


class Smtp:
    """A carrier. Certificates are checked; without STARTTLS an `smtp://` server gets nothing."""

    def __init__(self, server: SmtpServer, tls: ssl.SSLContext | None = None) -> None:
        """`tls` trusts the machine's authorities by default."""
        self._server = server
        self._tls = tls

    async def __call__(self, messages: Sequence[EmailMessage]) -> AsyncGenerator[Failure | None]:
        """See Carrier. A connection that is lost reaches no further message."""
        client = self._client()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await client.connect()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            for _ in messages:
                yield Failure(_named(error))
            return
        try:
            for each in messages:
                yield await _sent(client, each)
                if not client.is_connected:
                    return
        finally:
            client.close()

    def _client(self) -> "_Client":
        server = self._server
        return _Client(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.encryption is Encryption.TLS,
            start_tls=server.encryption is Encryption.STARTTLS,
            tls_context=self._tls,
            timeout=_SECONDS,
        )


class _UnansweredError(Exception):
    """DATA was begun, and the server has not said what became of it."""


class _Client(SMTP):
    """Tells a message that may have been taken from all that fails before one is handed over."""

    async def data(self, message: str | bytes, /, **_: object) -> SMTPResponse:
        try:
            return await super().data(message, timeout=None)
        except SMTPDataError:
            raise
        except (SMTPException, OSError) as error:
            self.close()
            raise _UnansweredError(_named(error)) from error


async def _sent(client: SMTP, message: EmailMessage) -> Failure | None:
    try:
        await client.send_message(message)
    except SMTPRecipientsRefused as error:
        return _refused(error, error.recipients[0].code)
    except SMTPDataError as error:
        return _refused(error, error.code)
    except _UnansweredError as error:
        return Failure(str(error), perhaps_gone=True)
    except (SMTPException, OSError) as error:
        return Failure(_named(error))
    return None


def _refused(error: Exception, code: int) -> Failure:
    """A server's own words often repeat the address, so its number has to do."""
    return Failure(f"{type(error).__name__} {code}", for_good=code >= _FOR_GOOD)


def _named(error: Exception) -> str:
    code = f" {error.code}" if isinstance(error, SMTPResponseException) else ""
    return f"{type(error).__name__}{code}"
