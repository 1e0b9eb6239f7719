"""The loop that sends what is queued: any number of processes take different mails.

A mail is taken for a while, sent outside of any transaction, then deleted. A process that dies in
between leaves it to be sent again, as the same message. It is tried ever less often, and given up
when its code has run out or its server never takes it. A server that does not say whether it took
it gets it once more, much later. What a slow server leaves no time for is taken up again at once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from time import monotonic

from authbus_service.core.database import DATABASE_AWAY, Database, clock_of, name_of
from authbus_service.core.logging import get_logger
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.masters import MissingMasterError
from authbus_service.mail.carriers import Carrier, Failure
from authbus_service.outbox import mails
from authbus_service.outbox.mails import QueuedMail

OUTCOMES = ("sent", "given_up", "postponed")
_POLL = 1.0
_BATCH = 20
# A batch is over after its time and the last message's: well within the lease. RFC 5321 gives a
# server ten minutes to answer to a message; but the others of its batch wait behind it.
_LEASE = 120.0
_BATCH_SECONDS = 30.0
_MESSAGE_SECONDS = 60.0
_LAST_SECONDS = 5.0
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 900.0

Results = dict[QueuedMail, Failure | None]

_log = get_logger(__name__)


class Mailer:
    """Sends queued mails until it is cancelled. `poll` and `first_pause` are in seconds."""

    def __init__(
        self,
        database: Database,
        write: Callable[[QueuedMail], EmailMessage],
        carry: Carrier,
        *,
        poll: float = _POLL,
        first_pause: float = _FIRST_PAUSE,
        metrics: Metrics | None = None,
    ) -> None:
        """Nothing is taken yet."""
        self._mails = (metrics or Metrics()).mails
        self._database = database
        self._write = write
        self._carry = carry
        self._poll = poll
        self._first_pause = first_pause

    async def run(self) -> None:
        """For ever; a database that is away is asked again."""
        while True:
            try:
                reached = await self.once()
            except DATABASE_AWAY as error:
                _log.warning("mails wait", error=name_of(error))
                reached = 0
            if reached < _BATCH:
                await asyncio.sleep(self._poll)

    async def once(self) -> int:
        """Take what is due, send it; returns how many were reached.

        Cancelled, it still writes down what it has sent, if that takes no more than seconds, and
        gives back what it has not begun.
        """
        async with self._database.transaction() as db:
            taken = await mails.take(db, limit=_BATCH, seconds=_LEASE)
            at = await clock_of(db)
        if not taken:
            return 0
        messages: dict[QueuedMail, EmailMessage] = {}
        results: Results = {}
        begun, settling = 0, None
        try:
            await self._write_all(taken, at, messages, results)
            begun = 1
            await self._carry_all(messages, results)
            missed = [mail for mail in taken if mail not in results]
            settling = asyncio.create_task(self._settle(results, missed))
            await asyncio.shield(settling)
        except asyncio.CancelledError:
            # The first of the others may be on its way; the rest need not wait for the lease's end.
            untried = [mail for mail in taken if mail not in results][begun:]
            with suppress(TimeoutError):
                await asyncio.wait_for(settling or self._settle(results, untried), _LAST_SECONDS)
            raise
        return len(results)

    async def _write_all(
        self,
        taken: Sequence[QueuedMail],
        at: datetime,
        messages: dict[QueuedMail, EmailMessage],
        results: Results,
    ) -> None:
        """Note each message, and why there is none for the other mails.

        One takes milliseconds, so each lets others have their turn.
        """
        for mail in taken:
            await asyncio.sleep(0)
            if at >= mail.expires_at:
                results[mail] = Failure("it is too old", for_good=True)
                continue
            try:
                messages[mail] = self._write(mail)
            except MissingMasterError as error:  # another process may have it
                results[mail] = Failure(type(error).__name__)
            except Exception as error:  # noqa: BLE001 - Python's own parser of addresses raises any
                results[mail] = Failure(type(error).__name__, for_good=True)

    async def _carry_all(
        self, messages: Mapping[QueuedMail, EmailMessage], results: Results
    ) -> None:
        """Note, one by one, what becomes of those that are reached in the batch's time."""
        over = monotonic() + _BATCH_SECONDS
        async with aclosing(self._carry([*messages.values()])) as told:
            for mail in messages:
                if monotonic() >= over:
                    break
                try:
                    async with asyncio.timeout(_MESSAGE_SECONDS):
                        results[mail] = _judged(mail, await anext(told))
                except TimeoutError:
                    results[mail] = _judged(mail, Failure("TimeoutError", perhaps_gone=True))
                    break
                except StopAsyncIteration:
                    break

    async def _settle(self, results: Results, missed: Sequence[QueuedMail] = ()) -> None:
        """Write down what became of them, until that stands: what is forgotten is sent again."""
        while True:
            try:
                await self._write_down(results, missed)
                break
            except DATABASE_AWAY as error:
                _log.warning("what became of mails is not written down yet", error=name_of(error))
                await asyncio.sleep(self._poll)
        if missed:
            _log.warning("mails were not reached", count=len(missed))
        for mail, why in results.items():
            self._tell(mail, why)

    async def _write_down(self, results: Results, missed: Sequence[QueuedMail]) -> None:
        finished = [mail.id for mail, why in results.items() if why is None or why.for_good]
        left = {mail: why for mail, why in results.items() if why and not why.for_good}
        later = {mail: self._pause(mail) for mail, why in left.items() if not why.perhaps_gone}
        unsure = {mail: _LONGEST_PAUSE for mail, why in left.items() if why.perhaps_gone}
        async with self._database.transaction() as db:
            await mails.remove(db, finished)
            await mails.postpone(db, later)
            await mails.note_unanswered(db, unsure)
            await mails.give_back(db, missed)

    def _pause(self, mail: QueuedMail) -> float:
        return min(self._first_pause * 4 ** (mail.attempts - 1), _LONGEST_PAUSE)

    def _tell(self, mail: QueuedMail, why: Failure | None) -> None:
        about = {"template": mail.template, "mail": mail.id, "command_id": mail.command_id}
        if why is None:
            outcome = "sent"
            _log.info("a mail was sent", **about, attempts=mail.attempts)
        elif why.for_good:
            outcome = "given_up"
            _log.warning("a mail was given up", **about, attempts=mail.attempts, reason=why.reason)
        else:
            outcome = "postponed"
            _log.warning("a mail waits", **about, attempts=mail.attempts, reason=why.reason)
        self._mails.add(mail.template, outcome)


def _judged(mail: QueuedMail, why: Failure | None) -> Failure | None:
    """What has perhaps gone is tried once more at most, for each try may make a copy."""
    if why is not None and why.perhaps_gone and mail.unanswered:
        return replace(why, for_good=True)
    return why
