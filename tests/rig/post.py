"""A real SMTP server that keeps what it takes, and refuses what a test says."""

import asyncio
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Post:
    """`answers` are given to the next recipients in their order; then everybody is welcome.

    `refusals` are given to the next messages; then each is taken.
    `pauses` are how long the next messages take, in seconds; then they are taken at once.
    `late` are for how long the next ones are not answered once they are taken; None: never, since
    the connection is lost.
    """

    taken: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])
    answers: list[str] = field(default_factory=list[str])
    refusals: list[str] = field(default_factory=list[str])
    pauses: list[float] = field(default_factory=list[float])
    late: list[float | None] = field(default_factory=list[float | None])
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp+plain://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.answers and not (answer := self.answers.pop(0)).startswith("250"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - named by aiosmtpd
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self.pauses:
            await asyncio.sleep(self.pauses.pop(0))
        if self.refusals:
            return self.refusals.pop(0)
        message = message_from_bytes(envelope.original_content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients += envelope.rcpt_tos
        if self.late:
            await self._be_late(server, self.late.pop(0))
        return "250 OK"

    async def _be_late(self, server: Any, seconds: float | None) -> None:
        if seconds is None:
            server.transport.abort()
        await asyncio.sleep(seconds or 0)

    async def has(self, count: int, *, within: float = 10) -> list[EmailMessage]:
        """Wait for so many messages."""
        async with asyncio.timeout(within):
            while len(self.taken) < count:  # noqa: ASYNC110 - filled by another thread
                await asyncio.sleep(0.02)
        return self.taken


@contextmanager
def posting(port: int = 0, **more: Any) -> Generator[Post]:
    """A server that listens for the length of a block, on a free port unless one is given."""
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=port or free_port(), **more)
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop()


def free_port() -> int:
    """A port on which nobody listens at this moment."""
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def parts(message: EmailMessage) -> tuple[str, str]:
    """Its text and its HTML."""
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


async def code_in(folder: Path, page: str) -> str:
    """The code in the link of the mail that leads to this page."""
    async with asyncio.timeout(20):
        while not (codes := codes_in(folder, page)):  # noqa: ASYNC110 - files of another process
            await asyncio.sleep(0.1)
    return codes[0]


def codes_in(folder: Path, page: str) -> list[str]:
    files = folder.glob("*.eml")
    return codes_of(
        (message_from_bytes(each.read_bytes(), policy=policy.default) for each in files), page
    )


def codes_of(mails: Iterable[EmailMessage], page: str) -> list[str]:
    """The codes in the links to such pages, a regular expression."""
    return re.findall(rf"/{page}\?code=(\S+)", "".join(parts(each)[0] for each in mails))
