"""One Kafka and one PostgreSQL for all workers of a run: each costs a fifth of a core to warm."""

import asyncio
import threading
from typing import Self

from authbus_service.embedded import Addresses, EmbeddedStack

FOR_ALL = {
    "num.network.threads": "2",
    "num.io.threads": "4",
    # So that a test can make a transaction hang: see rig/hanging.py. Other brokers verify.
    "transaction.partition.verification.enable": "false",
}


class Shared:
    """The embedded stack, in a thread of the process that leads the workers."""

    def __init__(self) -> None:
        self.addresses = Addresses()
        self._over = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._error: BaseException | None = None

    def start(self) -> Self:
        """Return when both listen; raise what kept them from it."""
        self._thread.start()
        self._begun.wait()
        if self._error is not None:
            raise self._error
        return self

    def stop(self) -> None:
        """End both."""
        self._over.set()
        self._thread.join()

    async def _live(self) -> None:
        try:
            async with EmbeddedStack(broker_config=FOR_ALL) as stack:
                self.addresses = stack.addresses
                self._begun.set()
                await asyncio.to_thread(self._over.wait)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._begun.set()
