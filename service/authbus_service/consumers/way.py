"""The way of one command: look up, open, prepare, commit in a group, answer."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from authbus.contract import REPLIES
from authbus.envelope import client_of
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.state import DeadLetterReason
from authbus.topics import CREDENTIALS
from authbus_service.auth import handlers
from authbus_service.auth.outcome import Answer, restored
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.seen import Seen
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.batch_loader import BatchLoader
from authbus_service.consumers.job import Decided, Job
from authbus_service.consumers.labels import Labels
from authbus_service.consumers.mismatches import Mismatches
from authbus_service.consumers.opening import Opened, Opener
from authbus_service.consumers.preparing import prepared
from authbus_service.consumers.route import Route, Voice, answer_of
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.consumers.writer import Writer
from authbus_service.core import clock
from authbus_service.core.clients import Client
from authbus_service.core.metrics import Stage
from authbus_service.core.security.following import KeyFollower
from authbus_service.core.security.hash_pool import HashPool, HashPoolFullError
from authbus_service.core.security.masters import Masters
from authbus_service.core.watch import DONE, REPEATED, Watch
from authbus_service.inbox.repository import Handled

_LONG_EXPIRED = timedelta(minutes=1)
# What is hashed and comes too late is lost twice: a command is let in with room to spare.
_MARGIN = 1.5


@dataclass(frozen=True, slots=True)
class Way:
    """Tries a record once: an answer, or nothing more to do."""

    opener: Opener
    masters: Masters
    tools: Tools
    hashes: HashPool
    known: BatchLoader[UUID, Handled]
    let_go: Callable[[Proof], Awaitable[None]]
    hashed: Writer
    cheap: Writer
    speaker: Voice
    finish: Callable[[Answer, Request], Reply]
    keys: KeyFollower
    watch: Watch
    mismatches: Mismatches = field(default_factory=Mismatches)

    async def __call__(self, arrival: Arrival, labels: Labels) -> str:
        """Returns when the record is finished, and what became of it; see Watch.finished.

        Raises UnreadableError for one that goes to the dead letters, and what may pass by itself.
        """
        await self.keys.keep_fresh()
        handled = await self.known(labels.id)
        if handled is not None:
            await self._again(arrival, labels, handled)
            return REPEATED
        if self._is_hopeless(arrival, labels):
            await self._busy(labels)
            return Code.BUSY
        with self.watch.stage(Stage.OPEN):
            opened = await self._opened(arrival, labels)
        if opened.refusal is not None:
            return self._say(opened.route, opened.refusal)
        request = opened.request(self.masters)
        if (question := handlers.QUESTIONS.get(type(request.command))) is not None:
            return await self._asked(question, request, opened.route, arrival, labels)
        try:
            with self.watch.stage(Stage.PREPARE), self._coming(arrival):
                proof = await self._prepared(request)
        except HashPoolFullError:
            return self._say(opened.route, Rejected.because(Code.BUSY))
        match await self._committed(request, proof, arrival, labels):
            case Decided(answer, at):
                return self._say(opened.route, self.finish(answer, request), at)
            case Handled() as elsewhere:
                await self._again(arrival, labels, elsewhere)
                return REPEATED

    def _coming(self, arrival: Arrival) -> AbstractContextManager[None]:
        """Only hashes are worth waiting for: what is cheap would be there too late."""
        return self.hashed.company.coming() if arrival.topic == CREDENTIALS else nullcontext()

    async def _opened(self, arrival: Arrival, labels: Labels) -> Opened:
        """A key that we do not know is looked for once: it may be newer than our last look."""
        try:
            return self.opener.open(arrival, labels)
        except UnreadableError as error:
            if error.reason is not DeadLetterReason.UNKNOWN_KEY:
                raise
        await self.keys.look()
        return self.opener.open(arrival, labels)

    async def _committed(
        self, request: Request, proof: Proof, arrival: Arrival, labels: Labels
    ) -> Decided | Handled:
        writer = self.hashed if arrival.topic == CREDENTIALS else self.cheap
        with self.watch.stage(Stage.COMMIT):
            job = Job(
                arrival=arrival,
                request=request,
                proof=proof,
                traceparent=self.watch.traceparent(labels.traceparent),
                digest=arrival.digest,
                result=asyncio.get_running_loop().create_future(),
                span=self.watch.current(),
            )
            writer.put(job)
            try:
                result = await job.result
            except Exception:
                await self.let_go(proof)
                raise
        if isinstance(result, Handled):
            await self.let_go(proof)
        # It may have waited for as long as the database was away, and keys change meanwhile.
        await self.keys.keep_fresh()
        return result

    async def _asked(
        self,
        question: handlers.Question[Any],
        request: Request,
        route: Route,
        arrival: Arrival,
        labels: Labels,
    ) -> str:
        """A question leaves no trace; a look-up leaves one for auditors before it is answered."""
        reply = await self._answer(question, request)
        if type(request.command) in handlers.LOOK_UPS:
            proof = _looked(request, reply, self.tools)
            match await self._committed(request, proof, arrival, labels):
                case Decided(Rejected() as refusal):
                    reply = refusal
                case Handled() as elsewhere:
                    await self._again(arrival, labels, elsewhere)
                    return REPEATED
                case _:
                    pass
        return self._say(route, reply)

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
        return await prepared(request, self.tools, self.let_go)

    async def _again(self, arrival: Arrival, labels: Labels, handled: Handled) -> None:
        """A command that was handled before: the same answer while somebody may wait for it.

        Sealed anew, it is a retry with an expiry of its own, and is judged like a new command: an
        answer with secrets is not to be had for an id that is old.
        """
        now = clock.now()
        same_bytes = hmac.compare_digest(arrival.digest, handled.digest)
        if same_bytes and now >= handled.expires_at:
            return
        opened = await self._opened(arrival, labels)
        if opened.refusal is not None and (opened.command is None or not same_bytes):
            self._say(opened.route, opened.refusal)
            return
        if not same_bytes and self.mismatches.are_many(handled.id):
            return
        request = opened.request(self.masters, handled.master)
        same = hmac.compare_digest(request.derived.content, handled.content)
        if not same:
            self.mismatches.note(handled.id)
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

    def _say(self, route: Route, reply: Reply, at: datetime | None = None) -> str:
        self.speaker.answer(answer_of(route, reply, at or clock.now()))
        return reply.code if isinstance(reply, Rejected) else DONE

    def _is_hopeless(self, arrival: Arrival, labels: Labels) -> bool:
        """Whether the hash would come after the time at which nobody waits any more.

        While hashes queue that is so of what has just expired, too: it would only make others late.
        """
        expires_at = labels.expires_at
        if arrival.topic != CREDENTIALS or expires_at is None:
            return False
        queue = timedelta(seconds=self.hashes.wait_seconds)
        left = expires_at - clock.now()
        return bool(queue) and -_LONG_EXPIRED < left < _MARGIN * queue

    async def _busy(self, labels: Labels) -> None:
        """Shed before it is opened: undecided, stored nowhere, to be sent again.

        The record is finished when it has its answer: a backlog is shed no faster than Kafka takes
        these, or most of them would be lost.
        """
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
            busy = Rejected.because(Code.BUSY)
            await self.speaker.answered(answer_of(route, busy, clock.now()))

    def _client(self, labels: Labels) -> Client | None:
        return self.opener.clients.get(client_of(labels.text.get("ce_source", "")))


def _looked(request: Request, reply: Reply, tools: Tools) -> Proof:
    """Who looked, at whom, and whether they were shown anything."""
    command: Any = request.command
    shown = tools.administering(command.access_token, user_id=getattr(command, "user_id", None))
    return replace(shown, looked=reply if isinstance(reply, Rejected) else Seen())
