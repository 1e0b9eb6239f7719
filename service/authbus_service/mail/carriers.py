"""Ways for messages to leave: each says of every message whether it has gone."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from authbus_service.core.logging import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message has not gone. `for_good`: it never will. `reason` names no address.

    `perhaps_gone`: it was handed over, and nobody said whether it was taken.
    """

    reason: str
    for_good: bool = False
    perhaps_gone: bool = False


class Carrier(Protocol):
    """Takes messages, one recipient each."""

    def __call__(self, messages: Sequence[EmailMessage]) -> AsyncGenerator[Failure | None]:
        """What became of each, in order, once it is known; None: it has gone.

        May end early: the others were not reached. Raises nothing that it expects. Who asks says
        how long the other side may take to answer once it has a message.
        """
        ...


class Nowhere:
    """No way is set: mails wait, until one is or they are too old."""

    async def __call__(self, messages: Sequence[EmailMessage]) -> AsyncGenerator[Failure | None]:
        """See Carrier."""
        for _ in messages:
            yield Failure("AUTHBUS_SMTP_URL is not set")


@dataclass(frozen=True, slots=True)
class Folder:
    """Files that any mail program opens, for a developer. A repeat overwrites the first."""

    path: Path

    async def __call__(self, messages: Sequence[EmailMessage]) -> AsyncGenerator[Failure | None]:
        """See Carrier."""
        for each in messages:
            yield await asyncio.to_thread(self._write, each)

    def _write(self, message: EmailMessage) -> Failure | None:
        name = f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / name).write_bytes(bytes(message))
        except OSError as error:
            return Failure(type(error).__name__)
        _log.info("a mail was written", file=str(self.path / name), subject=message["Subject"])
        return None
