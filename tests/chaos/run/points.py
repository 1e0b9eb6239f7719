"""`authbus serve` that kills itself at a named point of its work, when it finds an order to.

`python -m tests.chaos.run.points MISSED_AFTER FOLDER`. An order is a file in the folder that is
named after the point; who takes it, by another name, is who dies. Another order has the command
that comes next fail, as by a bug, until its file is gone. The service knows nothing of it: its
functions are wrapped here, in this process alone.
"""

# pyright: reportPrivateUsage=false

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.transaction import EndTxnRequest

from authbus_service.auth import repository
from authbus_service.auth.handlers import decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.request import Request
from authbus_service.consumers import group
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.speaker import Speaker
from authbus_service.inbox import repository as inbox
from authbus_service.relay import producer
from authbus_service.relay.loop import Relay
from tests.chaos.run import clocks
from tests.rig.processes import serve

P = ParamSpec("P")
T = TypeVar("T")

GROUP = ("after the inbox claim", "before a group's COMMIT", "after a group's COMMIT")
OFFSET = ("before the offset's commit", "after the offset's commit")
RELAY = (
    "after the relay's begin",
    "after the relay's send",
    "after the relay's EndTxn is sent",
    "before the rows are deleted",
    "after the rows are deleted",
)
REPLY = ("before a reply", "after a reply")
FAIL = "fail at a command"
POINTS = (*GROUP, *OFFSET, *RELAY, *REPLY)
# So long a request needs to leave the process, and no answer can be there much sooner.
_LEAVES_SECONDS = 0.001


def order(folder: Path, point: str) -> Path:
    """The file that orders a process to die there."""
    return folder / point.replace(" ", "-")


def obeyed(folder: Path, point: str, pid: int) -> Path:
    """What becomes of an order when this process takes it."""
    return folder / f"{order(folder, point).name}.{pid}"


def ill(command: str) -> str:
    """The file that has this command fail wherever it comes."""
    return f"ill-{command}"


class Points:
    """Wraps what the service does, so that it passes by the points."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def at(self, point: str) -> None:
        """Die here if that is ordered; of those who come at once, one finds the order."""
        with suppress(FileNotFoundError):
            order(self._folder, point).rename(obeyed(self._folder, point, os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)

    def around(
        self, work: Callable[P, Awaitable[T]], before: str | None, after: str | None
    ) -> Callable[P, Awaitable[T]]:
        """The same work with a point before it, after it, or both."""

        @wraps(work)
        async def passing(*args: P.args, **kwargs: P.kwargs) -> T:
            if before is not None:
                self.at(before)
            done = await work(*args, **kwargs)
            if after is not None:
                self.at(after)
            return done

        return passing

    def fails(self, command: UUID) -> bool:
        """Whether this command is to fail; of those that come at once, one is chosen."""
        chosen = self._folder / ill(str(command))
        with suppress(FileNotFoundError):
            order(self._folder, FAIL).rename(chosen)
        return chosen.exists()

    def set(self) -> None:
        """Set all of them."""
        around = self.around
        names: Any = group
        names.inbox = SimpleNamespace(
            **{**vars(inbox), "claim": around(inbox.claim, None, GROUP[0])}
        )
        names.repository = SimpleNamespace(
            **{**vars(repository), "flush": around(repository.flush, None, GROUP[1])}
        )
        names.handlers = SimpleNamespace(decide=self._decide)
        grouping: Any = Grouping
        grouping.together = around(Grouping.together, None, GROUP[2])
        consumer: Any = AIOKafkaConsumer
        consumer.commit = around(AIOKafkaConsumer.commit, *OFFSET)
        speaker: Any = Speaker
        speaker._send = around(Speaker._send, *REPLY)
        self._set_relay()

    def _decide(self, request: Request, *rest: Any) -> Outcome:
        if self.fails(request.id):
            raise ZeroDivisionError
        return decide(request, *rest)

    def _set_relay(self) -> None:
        relay: Any = Relay
        relay._forget = self.around(Relay._forget, *RELAY[3:])
        made: Any = producer
        made.AIOKafkaProducer = type(
            "PassingProducer",
            (AIOKafkaProducer,),
            {
                "begin_transaction": self.around(
                    AIOKafkaProducer.begin_transaction, None, RELAY[0]
                ),
                "commit_transaction": self.around(
                    AIOKafkaProducer.commit_transaction, RELAY[1], None
                ),
            },
        )
        send, connection = AIOKafkaConnection.send, _any(AIOKafkaConnection)

        def passing(self_: AIOKafkaConnection, request: Any, *args: Any, **kwargs: Any) -> Any:
            answer = send(self_, request, *args, **kwargs)
            if isinstance(request, EndTxnRequest):
                asyncio.get_running_loop().call_later(_LEAVES_SECONDS, self.at, RELAY[2])
            return answer

        connection.send = passing


def _any(of: object) -> Any:
    return of


if __name__ == "__main__":
    Points(Path(sys.argv[2])).set()
    clocks.obey(Path(sys.argv[2]))
    serve(float(sys.argv[1]))
