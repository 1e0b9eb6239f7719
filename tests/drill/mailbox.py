"""Codes that were mailed, by the address that they went to and the page that takes them."""

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass, field

from tests.rig.post import Post, parts

_LINK = re.compile(r"/([\w-]+)\?code=([\w%-]+)")


@dataclass
class Mailbox:
    """Reads what a real SMTP server took, each message once."""

    post: Post
    _read: int = 0
    _codes: dict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict[tuple[str, str], list[str]](list)
    )

    async def code(self, address: str, page: str, *, within: float = 20) -> str:
        """The next code for this page that is mailed to this address."""
        async with asyncio.timeout(within):
            while not self._codes[address, page]:
                await asyncio.sleep(0.02)
                self._look()
        return self._codes[address, page].pop()

    def _look(self) -> None:
        while self._read < len(self.post.taken):
            message = self.post.taken[self._read]
            self._read += 1
            for page, code in _LINK.findall(parts(message)[0]):
                self._codes[str(message["To"]), page].append(code)
