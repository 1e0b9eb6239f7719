"""Headers of every kind: read, or the record is buried."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from authbus_service.core.ids import new_id
from tests.fuzz.case import REFUSED, Case, Family, Item, Make, Try, one, raw, table
from tests.fuzz.scene import ENDED, HANDLED, Scene
from tests.rig.batches import Raw
from tests.rig.producing import Draft

BAD = "bad_header"
GOOD = (HANDLED, ENDED)
OURS = [
    *("content-type", "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"),
    *("ce_expirytime", "reply_to", "correlation_id", "ce_subject", "traceparent"),
]
Header = tuple[str, bytes | None]


def labelled(name: str, value: bytes | None, *among: str) -> Make:
    return lambda scene: Try.of(scene.either()[0].with_header(name, value), *among)


def changed(change: Callable[[Draft], Sequence[Header]], *among: str) -> Make:
    def make(scene: Scene) -> Try:
        draft = scene.either()[0]
        return Try.of(draft.but(headers=change(draft)), *among)

    return make


def without(name: str, *among: str) -> Make:
    return changed(lambda draft: [each for each in draft.headers if each[0] != name], *among)


def added(headers: Sequence[Header], *among: str) -> Make:
    return changed(lambda draft: [*draft.headers, *headers], *among)


def doubled(name: str) -> Make:
    return changed(lambda draft: [*draft.headers, (name, dict(draft.headers)[name])], BAD)


def named_in_bytes(name: bytes, *among: str) -> Make:
    """A header whose name is no text."""

    def make(scene: Scene) -> Try:
        draft = scene.either()[0]
        right = raw(draft)
        made = Raw(right.value, right.key, [*right.headers, (name, b"1")])
        return Try([Item(Item.of(draft).topic, made, (draft.id,))], one(*among))

    return make


def secret_in(name: str, *among: str) -> Make:
    return lambda scene: Try.of(scene.either()[0].with_header(name, scene.canary.encode()), *among)


def echoed(name: str, value: bytes | None) -> Make:
    return labelled(name, value, *GOOD)


def other_zone(scene: Scene) -> Try:
    draft = scene.either()[0]
    told = dict(draft.headers)["ce_expirytime"] or b""
    return Try.of(draft.with_header("ce_expirytime", told.removesuffix(b"Z") + b"+00:00"), *GOOD)


NAMED = table(
    [
        ("none at all", changed(lambda _: [], BAD)),
        ("no ce_id", without("ce_id", BAD)),
        ("only ce_id", changed(lambda draft: [("ce_id", str(draft.id).encode())], *GOOD)),
        ("ce_id null", labelled("ce_id", None, BAD)),
        ("ce_id empty", labelled("ce_id", b"", BAD)),
        ("ce_id no UUID", labelled("ce_id", b"17", BAD)),
        ("ce_id in braces", labelled("ce_id", b"{%s}" % str(new_id()).encode(), BAD)),
        ("ce_id in other digits", labelled("ce_id", "١".encode() * 32, BAD)),
        ("ce_id is a secret", secret_in("ce_id", BAD)),
        ("ce_type null", labelled("ce_type", None, BAD)),
        ("ce_source not UTF-8", labelled("ce_source", b"/clients/\xff", BAD)),
        ("reply_to not UTF-8", labelled("reply_to", b"\xc3\x28", BAD)),
        ("correlation_id null", labelled("correlation_id", None, BAD)),
        ("correlation_id of lines", labelled("correlation_id", b"a\r\nb: c", "header_mismatch")),
        ("ce_id twice", doubled("ce_id")),
        ("reply_to twice", doubled("reply_to")),
        ("ce_type five thousand times", added([("ce_type", b"")] * 5_000, BAD)),
        ("a long label", labelled("ce_subject", b"s" * 1025, BAD)),
        ("a long trace", labelled("traceparent", b"0" * 60_000, BAD)),
        ("a long echo", labelled("kafka_correlationId", bytes(1025), BAD)),
        ("a foreign null", added([("x", None)], *GOOD)),
        ("a foreign one not UTF-8", added([("x", b"\xff\xfe")], *GOOD)),
        ("a foreign one without a name", added([("", b"")], *GOOD)),
        ("a foreign one of 2 kB", added([("x", b"x" * 2000)], *GOOD)),
        ("ten thousand foreign ones", added([("x", b"y")] * 10_000, *GOOD)),
        ("a header of a mebibyte", added([("x", bytes(1024 * 1024))], REFUSED)),
        ("a trace that is none", labelled("traceparent", b"\0\r\n{}", *GOOD)),
        ("a trace that is a secret", secret_in("traceparent", *GOOD)),
        ("an echo of bytes", echoed("kafka_correlationId", b"\xff\0\r\n")),
        ("an echo of null", echoed("kafka_correlationId", None)),
        ("Spring's partition elsewhere", echoed("kafka_replyPartition", b"\xff" * 9)),
        ("Spring's partition of no bytes", echoed("kafka_replyPartition", b"")),
        (
            "Spring's reply topic elsewhere",
            labelled("kafka_replyTopic", b"auth.events.v1", "reply_not_allowed"),
        ),
        ("Spring's reply topic not UTF-8", labelled("kafka_replyTopic", b"\xff", BAD)),
        ("content-type of JSON", labelled("content-type", b"application/json", *GOOD)),
        ("content-type of lines", labelled("content-type", b"a/b\r\nx: y", *GOOD)),
        ("content-type null", labelled("content-type", None, BAD)),
        ("content-type twice", doubled("content-type")),
        ("a name that is no UTF-8", named_in_bytes(b"x\xff", BAD)),
        ("a name that is overlong UTF-8", named_in_bytes(b"\xc0\xae", BAD)),
        ("a name of a surrogate", named_in_bytes(b"\xed\xb0\x80", BAD)),
        ("a name of U+0000", named_in_bytes(b"\0", *GOOD)),
        ("an expiry written another way", other_zone),
    ]
)


def more(random: Random) -> Iterator[Case]:
    kinds = [_null, _no_text, _double, _long, _foreign, _name]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        yield Case(f"{kind.__name__[1:]} {number}", kind(random))


def _null(random: Random) -> Make:
    return labelled(random.choice(OURS), None, BAD)


def _no_text(random: Random) -> Make:
    bad = random.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x80"])
    # In front: behind others that came by chance it could be the end of a letter.
    return labelled(random.choice(OURS), bad + random.randbytes(random.randrange(9)), BAD)


def _double(random: Random) -> Make:
    name = random.choice(OURS)
    twice = [(name, random.randbytes(4).hex().encode())] * random.randrange(2, 60)
    return added(twice, BAD)


def _long(random: Random) -> Make:
    return labelled(random.choice(OURS), b"a" * random.randrange(1025, 50_000), BAD)


def _foreign(random: Random) -> Make:
    names = ["x", "", "CE_ID", "ce-id", "kafka_correlationid", "Content-Type", "\u202e", "b3", "\0"]
    headers = [
        (random.choice(names), random.choice([None, random.randbytes(random.randrange(900))]))
        for _ in range(random.randrange(1, 40))
    ]
    return added(headers, *GOOD)


def _name(random: Random) -> Make:
    before = random.choice([b"", b"ce_id", b"x"])
    return named_in_bytes(before + random.choice([b"\xff", b"\xc0\x80", b"\xe2\x28\xa1"]), BAD)


HEADERS = Family("headers", 200, NAMED, more)
