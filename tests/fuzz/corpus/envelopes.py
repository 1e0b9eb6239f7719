"""Right seals around envelopes that are not right, and labels that tell something else."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from authbus.contract import ROWS, topic_of
from authbus.specification.examples import VALUES
from authbus.topics import COMMAND_TOPICS, SESSIONS, Topic
from authbus_service.core.ids import new_id
from tests.fuzz.case import Case, Family, Make, Try, table
from tests.fuzz.scene import HANDLED, Change, Json, Scene, data, left_out, put

BAD = "bad_envelope"
PRIVATE = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}


def asking(change: Change, *among: str, topic: Topic | None = None) -> Make:
    return lambda scene: Try.of(scene.asking(change, topic=topic), *among)


ENVELOPES = table(
    [
        ("nothing changed", asking(put(), HANDLED)),
        ("a field more", asking(put(is_admin=True), BAD)),
        ("no source", asking(left_out("source"), BAD)),
        ("no expiry", asking(left_out("expirytime"), BAD)),
        ("no data", asking(left_out("data"), BAD)),
        ("data is a list", asking(put(data=[]), BAD)),
        ("data is null", asking(put(data=None), BAD)),
        ("specversion 2", asking(put(specversion="2.0"), BAD)),
        ("id is a number", asking(put(id=17), BAD)),
        ("id is true", asking(put(id=True), BAD)),
        ("time without a zone", asking(put(time="2026-01-02T03:04:05"), BAD)),
        ("time is no time", asking(put(time="tomorrow"), BAD)),
        ("expiry is a list", asking(put(expirytime=[]), BAD)),
        ("type is a number", asking(put(type=1), BAD)),
        ("type is long", asking(put(type="t" * 257), BAD)),
        ("partition below 0", asking(put(reply_partition=-1), BAD)),
        ("partition is text", asking(put(reply_partition="first"), BAD)),
        ("partition that is not there", asking(put(reply_partition=7), HANDLED)),
        ("partition is true", asking(put(reply_partition=True), HANDLED)),
        ("partition is huge", asking(put(reply_partition=2**62), HANDLED)),
        ("partition is over 64 bits", asking(put(reply_partition=2**64), "bad_json")),
        ("reply key holds numbers", asking(put(reply_key={"x": 1}), BAD)),
        ("reply key is text", asking(put(reply_key="key"), BAD)),
        ("source of nobody", asking(put(source="/clients/nobody"), "unknown_client")),
        ("source with slashes", asking(put(source="/clients//web"), "unknown_client")),
        ("source with dots", asking(put(source="/clients/../web"), "unknown_client")),
        ("source with a slash behind", asking(put(source="/clients/web/"), "unknown_client")),
        ("source without its folder", asking(put(source="web"), "unknown_client")),
        ("source of U+0000", asking(put(source="/clients/web\0"), "unknown_client")),
        ("correlation of U+0000", asking(put(correlation_id="\0\r\n\x1b[2J"), HANDLED)),
        ("correlation empty", asking(put(correlation_id=""), HANDLED)),
        ("time long ago", asking(put(time="0001-01-01T00:00:00+14:00"), HANDLED)),
        ("unknown type", asking(put(type="authbus.DropTable.v1"), "unknown_type")),
        ("unknown version", asking(put(type="authbus.LogIn.v99"), "unknown_type")),
        ("no type", asking(put(type=""), "unknown_type")),
        ("an event's type", asking(put(type="authbus.UserCreated.v1"), "unknown_type")),
        ("no reply key for tokens", asking(left_out("reply_key"), "invalid")),
        ("an empty reply key", asking(put(reply_key={}), "invalid")),
        ("a private reply key", asking(put(reply_key=PRIVATE), "invalid")),
        ("a reply key off the curve", asking(put(reply_key={**PRIVATE, "x": "AQ"}), "invalid")),
        ("a reply key of U+0000", asking(put(reply_key={"kty": "\0"}), "invalid")),
        ("a field more in the data", asking(data(is_admin=True), "invalid")),
        ("a log-in among the sessions", asking(put(), "wrong_topic", topic=SESSIONS)),
    ]
)


def route(change: Callable[[str], str]) -> Make:
    def alter(payload: Json) -> None:
        payload["reply_to"] = change(payload["reply_to"])

    return asking(alter, "reply_not_allowed")


ROUTES = table(
    [
        ("answers to the events", route(lambda to: to.replace("replies.web", "events.v1"))),
        ("answers to another client", route(lambda to: to.replace("web", "demo"))),
        ("answers to another namespace", route(lambda _: "other.audit.v1")),
        ("answers to a topic that is not there", route(lambda _: "nowhere")),
        ("answers to no legal name", route(lambda _: "../../etc/passwd")),
        ("answers to an empty name", route(lambda _: "")),
        ("answers to a topic in capitals", route(str.upper)),
        ("answers to a topic and a space", route(lambda to: to + " ")),
    ]
)
# Whatever a header repeats must be what is sealed.
TOLD: Mapping[str, list[str]] = {
    "ce_specversion": ["1.1", "", "1.0 "],
    "ce_type": ["authbus.LogOut.v2", "authbus.login.v1", ""],
    "ce_source": ["/clients/demo", "/clients/web/", ""],
    "ce_time": ["2026-01-02T03:04:06Z", "2026-01-02T03:04:05", "", "now"],
    "ce_expirytime": ["2999-01-02T03:09:06Z", "2026-01-02T03:09:06", ""],
    "reply_to": ["auth.replies.demo", "AUTH.REPLIES.WEB", ""],
    "reply_partition": ["4", "03", "3.0", "-1", ""],
    "correlation_id": ["18", "17 ", ""],
}
MISMATCH = "header_mismatch"


def telling(name: str, value: str) -> Make:
    return lambda scene: Try.of(scene.either()[0].with_header(name, value.encode()), MISMATCH)


def under_another_id(scene: Scene) -> Try:
    draft = scene.either()[0]
    return Try.of(draft.with_header("ce_id", str(new_id()).encode()), MISMATCH)


LABELS = table(
    [
        ("another id in the headers", under_another_id),
        *(
            (f"{name} in the headers is {value!r}", telling(name, value))
            for name, values in TOLD.items()
            for value in values
        ),
    ]
)


def misplaced(command: Any, topic: Topic) -> Make:
    """A right command on a topic of others."""

    def make(scene: Scene) -> Try:
        data = VALUES[command].to_json()
        to = topic.name(scene.web.namespace)
        draft = scene.web.sealed(to, new_id(), scene.key(), type=command.wire_type(), data=data)
        return Try.of(draft, "wrong_topic")

    return make


def _elsewhere(random: Random) -> Make:
    command = random.choice(ROWS).command
    return misplaced(
        command, random.choice([each for each in COMMAND_TOPICS if each != topic_of(command)])
    )


MISPLACED = table(
    (f"{row.command.__name__} elsewhere", misplaced(row.command, topic))
    for number, row in enumerate(ROWS)
    for topic in [[each for each in COMMAND_TOPICS if each != topic_of(row.command)][number % 3]]
)
NAMED = [*ENVELOPES, *ROUTES, *LABELS, *MISPLACED]
_ODD: list[Any] = [0, -1, 2**63 - 1, 1e308, True, None, "", "\0", [], {}, [[[]]], {"": ""}]
_STRICT = ["specversion", "id", "type", "source", "time", "expirytime", "data", "reply_key"]
_BURIED = (BAD, "unknown_client", "header_mismatch")


def more(random: Random) -> Iterator[Case]:
    kinds = [_odd, _told, _named, _elsewhere]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _odd(random: Random) -> Make:
    """Two fields of the envelope are odd."""
    names, values = random.sample(_STRICT, 2), random.choices(_ODD, k=2)
    refusals = ("unknown_type", "invalid", "expired", "stale_id")
    return asking(put(**dict(zip(names, values, strict=True))), *_BURIED, *refusals, HANDLED)


def _told(random: Random) -> Make:
    name = random.choice([*TOLD])
    return telling(name, "".join(random.choices("0123456789abcdefTZ:-/. ", k=random.randrange(40))))


def _named(random: Random) -> Make:
    name = "".join(random.choices("abcdefghij_\0\u202eé", k=random.randrange(1, 30)))
    return asking(put(**{name: random.choice(_ODD)}), BAD)


ENVELOPES_AND_LABELS = Family("envelopes and what headers repeat", 500, NAMED, more)
