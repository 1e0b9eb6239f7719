"""Calls that wait for an answer, found by correlation id; many clients share the reply topic."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from authbus.client.outgoing import Outgoing
from authbus.contract import REPLIES
from authbus.envelope import SEALED_TYPE, read_headers
from authbus.errors import AuthError, AuthTimeout
from authbus.kafka.following import Record
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.sealing import ReplyKey, SealError
from authbus.strict_json import read_json


class PendingCall:
    """One command in flight. Its answers are those that its key opens, and refusals.

    `was_asked`: its record was on its topic once, or may have been.
    """

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self.was_asked = False
        self.again()

    def again(self) -> None:
        """Wait for another answer: the same record is sent once more."""
        self._answer: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()

    async def answer(self) -> Reply | None:
        """The reply; None where the record may be lost. Raises what `fail` was given."""
        return await self._answer

    async def late_answer(self, seconds: float) -> Reply | None:
        """The reply to a record that was not lost after all; None when there is none in time."""
        self.again()
        await asyncio.wait([self._answer], timeout=seconds)
        return self._answer.result() if self._answer.done() else None

    def lose(self) -> None:
        """The record may not have come to its topic."""
        if not self._answer.done():
            self._answer.set_result(None)

    def fail(self, error: AuthError) -> None:
        """Nothing will come."""
        if not self._answer.done():
            self._answer.set_exception(error)
            # Looked at once, or asyncio complains when the caller has given up meanwhile.
            self._answer.exception()

    def take(self, headers: dict[str, str], value: bytes) -> None:
        """A reply with this call's correlation id."""
        caused_by = headers.get("ce_causationid")
        if self._answer.done() or caused_by not in {None, str(self.outgoing.command_id)}:
            return
        try:
            reply = read_reply(headers, value, self.outgoing.reply_key)
            if not _is_about_a_copy(reply, self.outgoing.topic):
                self.was_asked = True
                self._answer.set_result(reply)
        except SealError:
            return
        except ValueError:
            kind = headers.get("ce_type", "no type")
            self.fail(AuthError(f"an answer that this version cannot read: {kind}"))


class PendingCalls:
    """All calls of one client."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[PendingCall]] = {}

    @contextmanager
    def waiting(self, outgoing: Outgoing) -> Generator[PendingCall]:
        """A call that is known for as long as the block lasts."""
        call = PendingCall(outgoing)
        same = self._waiting.setdefault(outgoing.correlation_id, set())
        same.add(call)
        try:
            yield call
        finally:
            same.discard(call)
            if not same:
                self._waiting.pop(outgoing.correlation_id, None)

    def read(self, record: Record) -> None:
        """Take one record of the reply topic; those of other clients pass."""
        headers = read_headers(record.headers)
        for call in self._waiting.get(headers.get("correlation_id", ""), ()):
            call.take(headers, record.value or b"")

    def close(self) -> None:
        """End every call that waits: no answer will be read, and the command may be handled.

        One that is not sent yet learns that from the producer.
        """
        for same in self._waiting.values():
            for call in same:
                call.fail(AuthTimeout(call.outgoing.command_id))


def _is_about_a_copy(reply: Reply, topic: str) -> bool:
    """Whether somebody put a copy of the record elsewhere, and is told to send it where it was."""
    if not isinstance(reply, Rejected) or reply.code is not Code.WRONG_TOPIC:
        return False
    return topic in reply.detail.split()


def read_reply(headers: dict[str, str], value: bytes, key: ReplyKey) -> Reply:
    """The reply in a record.

    Raises SealError when it is not for this key: sealed for another, or in the clear although it is
    no refusal, so that anybody may have made it. Raises ValueError when it cannot be read.
    """
    model = REPLIES.get(headers.get("ce_type", ""))
    sealed = headers.get("content-type", "").partition(";")[0].strip() == SEALED_TYPE
    if model is not Rejected and not sealed:
        raise SealError
    payload = key.open(value) if sealed else value
    if model is None:
        raise ValueError("a kind of reply that is not known")
    return model.model_validate(read_json(payload))
