"""From a record to a command: open the seal, compare what the headers say, read what is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import ValidationError

from authbus.commands import AnyCommand
from authbus.contract import ANSWERED_SEALED, COMMANDS, topic_of
from authbus.envelope import LONGEST_LIFE, Sealed, client_of
from authbus.replies import Code, Rejected
from authbus.sealing import LARGEST_SEAL, Seal, SealError, public_key
from authbus.signing import canonical
from authbus.state import DeadLetterReason
from authbus.strict_json import JsonError, read_json
from authbus_service.auth.request import Derived, Request
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import Labels
from authbus_service.consumers.route import Route
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.clients import Client
from authbus_service.core.clock import LONG_AGO
from authbus_service.core.ids import id_time
from authbus_service.core.security.masters import Masters

NEAR = timedelta(minutes=10)
_MINUTES = LONGEST_LIFE // timedelta(minutes=1)
_CLEAR = (b"{", b"[", b'"')
_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"


class Keys(Protocol):
    """The key ring's part that opens seals."""

    def sealing(self, kid: str) -> tuple[EllipticCurvePrivateKey, str] | None:
        """The private key and its master's name, or None for a kid that is not ours."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A record whose seal and headers are right. `refusal`: it asks for what cannot be.

    A command with a refusal is not executed. One that was executed before is answered again, when
    it is the same record.
    """

    sealed: Sealed = field(repr=False)
    client: Client
    route: Route
    master: str
    content: bytes = field(repr=False)
    command: AnyCommand | None
    refusal: Rejected | None

    def request(self, masters: Masters, master: str | None = None) -> Request:
        """The command as handlers see it, with what is derived from it under a master."""
        if self.command is None:
            raise ValueError("nothing in this record can be requested")
        name = master or self.master
        content = masters.content_digest(self.content)
        under_it = masters.content_digest(self.content, name)
        derived = Derived(masters, name, self.sealed.id, under_it)
        # No database stores the first hours of year 1 that some time zones have.
        expires_at = max(self.sealed.expirytime, LONG_AGO)
        return Request(self.command, self.sealed.id, self.client, expires_at, derived, content)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens records of one installation."""

    keys: Keys
    clients: Mapping[str, Client]
    namespace: str

    def open(self, arrival: Arrival, labels: Labels) -> Opened:
        """The command in a record. Raises UnreadableError; then nobody is answered."""
        return self.read(arrival, labels, *self._unsealed(arrival))

    def read(self, arrival: Arrival, labels: Labels, payload: bytes, master: str) -> Opened:
        """The command in a record whose seal, to a key of this master, held `payload`.

        Raises UnreadableError.
        """
        try:
            sealed = Sealed.model_validate(read_json(payload))
        except JsonError:
            raise UnreadableError(DeadLetterReason.BAD_JSON) from None
        except ValidationError:
            raise UnreadableError(DeadLetterReason.BAD_ENVELOPE) from None
        if not labels.agree_with(sealed):
            raise UnreadableError(DeadLetterReason.HEADER_MISMATCH)
        client = self.clients.get(client_of(sealed.source))
        if client is None:
            raise UnreadableError(DeadLetterReason.UNKNOWN_CLIENT)
        command, refusal = self._asked(arrival, sealed)
        return Opened(
            sealed=sealed,
            client=client,
            route=self._route(labels, sealed, client),
            master=master,
            content=canonical({"type": sealed.type, "source": sealed.source, "data": sealed.data}),
            command=command,
            refusal=refusal,
        )

    def _unsealed(self, arrival: Arrival) -> tuple[bytes, str]:
        value = arrival.value
        if not value:
            raise UnreadableError(DeadLetterReason.EMPTY)
        if len(value) > LARGEST_SEAL:
            raise UnreadableError(DeadLetterReason.TOO_LARGE)
        try:
            seal = Seal.read(value)
            found = self.keys.sealing(seal.kid)
        except SealError:
            clear = value.lstrip(_BEFORE_JSON).startswith(_CLEAR)
            raise UnreadableError(
                DeadLetterReason.SECRET_EXPOSED if clear else DeadLetterReason.NOT_SEALED
            ) from None
        if found is None:
            raise UnreadableError(DeadLetterReason.UNKNOWN_KEY)
        key, master = found
        try:
            return seal.open(key), master
        except SealError:
            raise UnreadableError(DeadLetterReason.BAD_SEAL) from None

    def _route(self, labels: Labels, sealed: Sealed, client: Client) -> Route:
        allowed = client.reply_topic.name(self.namespace)
        asked = {sealed.reply_to, labels.text.get("kafka_replyTopic")} - {None}
        if asked - {allowed}:
            raise UnreadableError(DeadLetterReason.REPLY_NOT_ALLOWED)
        return Route(
            topic=allowed if asked else None,
            partition=sealed.reply_partition
            if sealed.reply_partition is not None
            else labels.spring_partition,
            correlation_id=sealed.correlation_id or labels.text.get("correlation_id"),
            spring_correlation=labels.spring_correlation,
            key=sealed.reply_key,
            command_id=sealed.id,
        )

    def _asked(self, arrival: Arrival, sealed: Sealed) -> tuple[AnyCommand | None, Rejected | None]:
        model = COMMANDS.get(sealed.type)
        if model is None:
            return None, Rejected.because(Code.UNKNOWN_TYPE)
        right = topic_of(model)
        if right != arrival.topic:
            detail = f"send it to {right.name(self.namespace)}"
            return None, Rejected.because(Code.WRONG_TOPIC, detail)
        try:
            command = model.model_validate(sealed.data)
        except ValidationError as error:
            return None, Rejected.because(Code.INVALID, _named(error, model))
        return command, _refusal(command, arrival, sealed)


def _refusal(command: AnyCommand, arrival: Arrival, sealed: Sealed) -> Rejected | None:
    """Why a command that can be read is refused before any work."""
    issued = id_time(sealed.id) if sealed.id.version == 7 else None  # noqa: PLR2004 - UUIDv7
    if issued is None or abs(arrival.appended_at - issued) > NEAR:
        return Rejected.because(Code.STALE_ID)
    if sealed.expirytime > issued + LONGEST_LIFE:
        return Rejected.because(Code.INVALID, f"expirytime: more than {_MINUTES} minutes ahead")
    if type(command) in ANSWERED_SEALED and not _can_be_sealed_to(sealed.reply_key):
        return Rejected.because(Code.INVALID, "reply_key: none to seal to")
    return None


def _can_be_sealed_to(key: Mapping[str, str] | None) -> bool:
    try:
        public_key(key or {})
    except SealError:
        return False
    return True


def _named(error: ValidationError, model: type[AnyCommand]) -> str:
    """Which fields are wrong and how, never what was in them, nor a name that was made up."""
    told = {
        f"{each['loc'][0] if each['loc'][0] in model.model_fields else 'a field'}: {each['type']}"
        for each in error.errors(include_input=False, include_url=False, include_context=False)
        if each["loc"]
    }
    return "; ".join(sorted(told))[:300]
