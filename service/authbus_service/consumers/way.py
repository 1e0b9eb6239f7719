"""The way of one command: look up, open, prepare, commit in a group, answer."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from authbus.contract import REPLIES
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.topics import CREDENTIALS
from authbus_service.auth import handlers
from authbus_service.auth.outcome import Answer, restored
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.seen import Seen
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.gather import Gathered
from authbus_service.consumers.job import Decided, Job
from authbus_service.consumers.labels import Labels, read_labels
from authbus_service.consumers.opening import Opened, Opener
from authbus_service.consumers.route import Route, Voice, letter
from authbus_service.consumers.transient import is_transient
from authbus_service.consumers.unreadable import Reason, UnreadableError
from authbus_service.consumers.writer import Writer
from authbus_service.core import clock
from authbus_service.core.clients import Client
from authbus_service.core.logging import bind, get_logger
from authbus_service.core.security.following import KeyFollower
from authbus_service.core.security.hash_pool import HashPool, HashPoolFullError
from authbus_service.core.security.masters import Masters
from authbus_service.core.watch import Watch
from authbus_service.inbox.repository import Handled

_AGAIN = (0.1, 0.3, 1.0, 3.0)
_LONG_EXPIRED = timedelta(minutes=1)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """Takes a record to its end: an answer, a dead letter, or nothing more to do."""

    opener: Opener
    masters: Masters
    tools: Tools
    hashes: HashPool
    known: Gathered[UUID, Handled]
    hashed: Writer
    cheap: Writer
    speaker: Voice
    finish: Callable[[Answer, Request], Reply]
    keys: KeyFollower
    watch: Watch

    async def __call__(self, arrival: Arrival) -> None:
        """Returns when the record is finished; a failure that passes is tried again for ever."""
        claimed = _claimed(arrival)
        with bind(command_id=claimed):
            await self._until_finished(arrival, claimed)

    async def _until_finished(self, arrival: Arrival, claimed: str | None) -> None:
        attempt = 0
        while True:
            try:
                await self._once(arrival)
                return
            except UnreadableError as error:
                await self.speaker.bury(arrival, error.reason, claimed)
                return
            except Exception as error:  # noqa: BLE001 - one command's fault is no other's
                if not is_transient(error):
                    _log.exception("command failed", place=arrival.place, offset=arrival.offset)
                    await self.speaker.bury(arrival, Reason.FAILED, claimed)
                    return
                self.watch.again("command")
                _log.warning("command waits", error=type(error).__name__)
            await asyncio.sleep(_AGAIN[min(attempt, len(_AGAIN) - 1)])
            attempt += 1

    async def _once(self, arrival: Arrival) -> None:
        labels = read_labels(arrival)
        if self._is_hopeless(arrival, labels):
            self._busy(labels)
            return
        await self.keys.keep_fresh()
        handled = await self.known(labels.id)
        if handled is not None:
            await self._again(arrival, labels, handled)
            return
        opened = await self._opened(arrival, labels)
        if opened.refusal is not None:
            self._say(opened.route, opened.refusal)
            return
        request = opened.request(self.masters)
        if (question := handlers.QUESTIONS.get(type(request.command))) is not None:
            await self._asked(question, request, opened.route, arrival, labels)
            return
        try:
            proof = await self._prepared(request)
        except HashPoolFullError:
            self._say(opened.route, Rejected.because(Code.BUSY))
            return
        match await self._committed(request, proof, arrival, labels):
            case Decided(answer, at):
                self._say(opened.route, self.finish(answer, request), at)
            case Handled() as elsewhere:
                await self._again(arrival, labels, elsewhere)

    async def _opened(self, arrival: Arrival, labels: Labels) -> Opened:
        """A key that we do not know is looked for once: it may be newer than our last look."""
        try:
            return self.opener.open(arrival, labels)
        except UnreadableError as error:
            if error.reason is not Reason.UNKNOWN_KEY:
                raise
        await self.keys.look()
        return self.opener.open(arrival, labels)

    async def _committed(
        self, request: Request, proof: Proof, arrival: Arrival, labels: Labels
    ) -> Decided | Handled:
        writer = self.hashed if arrival.topic == CREDENTIALS else self.cheap
        job = Job(
            arrival=arrival,
            request=request,
            proof=proof,
            traceparent=labels.traceparent,
            digest=arrival.digest,
            result=asyncio.get_running_loop().create_future(),
        )
        writer.put(job)
        return await job.result

    async def _asked(
        self,
        question: handlers.Question[Any],
        request: Request,
        route: Route,
        arrival: Arrival,
        labels: Labels,
    ) -> None:
        """A question leaves no trace; a look-up leaves one for auditors before it is answered."""
        reply = await self._answer(question, request)
        if type(request.command) in handlers.LOOK_UPS:
            proof = _looked(request, reply, self.tools)
            match await self._committed(request, proof, arrival, labels):
                case Decided(Rejected() as refusal):
                    reply = refusal
                case Handled() as elsewhere:
                    await self._again(arrival, labels, elsewhere)
                    return
                case _:
                    pass
        self._say(route, reply)

    async def _answer(self, question: handlers.Question[Any], request: Request) -> Reply:
        """A question has no effect, so it is judged by our clock alone."""
        now = clock.now()
        if now >= request.expires_at:
            return Rejected.because(Code.EXPIRED)
        return await question.answer(request.command, request, self.tools, now)

    async def _prepared(self, request: Request) -> Proof:
        """Nothing is hashed for a command long expired, so that a backlog of them is soon past.

        The group judges an expiry by the database's clock; this one only by far.
        """
        if clock.now() >= request.expires_at + _LONG_EXPIRED:
            return Proof(refusal=Rejected.because(Code.EXPIRED))
        return await handlers.prepare(request, self.tools)

    async def _again(self, arrival: Arrival, labels: Labels, handled: Handled) -> None:
        """A command that was handled before: the same answer while somebody may wait for it.

        Sealed anew, it is a retry with an expiry of its own.
        """
        now = clock.now()
        same_bytes = hmac.compare_digest(arrival.digest, handled.digest)
        if same_bytes and now >= handled.expires_at:
            return
        opened = await self._opened(arrival, labels)
        if opened.command is None:
            self._say(opened.route, Rejected.because(Code.IDEMPOTENCY_MISMATCH))
            return
        request = opened.request(self.masters, handled.master)
        same = hmac.compare_digest(request.derived.content, handled.content)
        if not same:
            self._say(opened.route, Rejected.because(Code.IDEMPOTENCY_MISMATCH))
            return
        if now >= opened.sealed.expirytime:
            return
        answer = restored(handled.outcome, REPLIES)
        if isinstance(answer, Seen):
            question = handlers.QUESTIONS[type(request.command)]
            self._say(opened.route, await self._answer(question, request))
            return
        self._say(opened.route, self.finish(answer, request), handled.handled_at)

    def _say(self, route: Route, reply: Reply, at: datetime | None = None) -> None:
        self.speaker.answer(letter(route, reply, at or clock.now()))

    def _is_hopeless(self, arrival: Arrival, labels: Labels) -> bool:
        """Whether the hash would come after the time at which nobody waits any more."""
        expires_at = labels.expires_at
        if arrival.topic != CREDENTIALS or expires_at is None:
            return False
        left = (expires_at - clock.now()).total_seconds()
        return 0 < left < self.hashes.wait_seconds

    def _busy(self, labels: Labels) -> None:
        """Shed before it is opened: undecided, stored nowhere, to be sent again."""
        client = self._client(labels)
        if client is not None:
            route = Route(
                topic=client.reply_topic.name(self.opener.namespace),
                partition=labels.spring_partition,
                correlation_id=labels.text.get("correlation_id"),
                spring_correlation=labels.spring_correlation,
                key=None,
                command_id=labels.id,
            )
            self._say(route, Rejected.because(Code.BUSY))

    def _client(self, labels: Labels) -> Client | None:
        source = labels.text.get("ce_source", "")
        return self.opener.clients.get(source.removeprefix("/clients/"))


def _looked(request: Request, reply: Reply, tools: Tools) -> Proof:
    """Who looked, at whom, and whether they were shown anything."""
    command: Any = request.command
    shown = tools.administering(command.access_token, user_id=getattr(command, "user_id", None))
    return replace(shown, looked=reply if isinstance(reply, Rejected) else Seen())


def _claimed(arrival: Arrival) -> str | None:
    """The id that a record's headers name, when they can be read."""
    try:
        return str(read_labels(arrival).id)
    except UnreadableError:
        return None
