"""Whatever a record's headers and key are: one outcome, and its neighbours are answered."""

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from pydantic import SecretStr

from authbus import LogIn
from authbus_service.core.ids import new_id
from tests.rig.batches import Raw, batch, produce, records
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft, Producer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Make = Callable[[Producer], Draft]
# What the right record is answered; none of its labels is in the way.
HANDLED = "invalid_credentials"


def a_log_in(web: Producer, **changes: Any) -> Draft:
    command = LogIn(email="ana@example.com", password=SecretStr("not the right one"))
    return web.draft(command, **changes)


def labelled(name: str, value: bytes | None) -> Make:
    return lambda web: a_log_in(web).with_header(name, value)


def without(name: str) -> Make:
    def make(web: Producer) -> Draft:
        draft = a_log_in(web)
        return draft.but(headers=[each for each in draft.headers if each[0] != name])

    return make


def added(*more: tuple[str, bytes | None]) -> Make:
    def make(web: Producer) -> Draft:
        draft = a_log_in(web)
        return draft.but(headers=[*draft.headers, *more])

    return make


def doubled(name: str) -> Make:
    def make(web: Producer) -> Draft:
        draft = a_log_in(web)
        return draft.but(headers=[*draft.headers, (name, dict(draft.headers)[name])])

    return make


def keyed(key: bytes | None) -> Make:
    return lambda web: a_log_in(web).but(key=key)


LABELS: dict[str, tuple[Make, str]] = {
    "no headers at all": (lambda web: a_log_in(web).but(headers=[]), "bad_header"),
    "no ce_id": (without("ce_id"), "bad_header"),
    "only ce_id": (
        lambda web: (draft := a_log_in(web)).but(headers=[("ce_id", str(draft.id).encode())]),
        HANDLED,
    ),
    "ce_id null": (labelled("ce_id", None), "bad_header"),
    "ce_id empty": (labelled("ce_id", b""), "bad_header"),
    "ce_id no UUID": (labelled("ce_id", b"17"), "bad_header"),
    "ce_id in braces": (labelled("ce_id", b"{%s}" % str(new_id()).encode()), "bad_header"),
    "ce_id in other digits": (labelled("ce_id", "١".encode() * 32), "bad_header"),
    "ce_type null": (labelled("ce_type", None), "bad_header"),
    "ce_source not UTF-8": (labelled("ce_source", b"/clients/\xff"), "bad_header"),
    "reply_to not UTF-8": (labelled("reply_to", b"\xc3\x28"), "bad_header"),
    "correlation_id null": (labelled("correlation_id", None), "bad_header"),
    "ce_id twice": (doubled("ce_id"), "bad_header"),
    "reply_to twice": (doubled("reply_to"), "bad_header"),
    "ce_type five thousand times": (added(*[("ce_type", b"")] * 5_000), "bad_header"),
    "a long label": (labelled("ce_subject", b"s" * 1025), "bad_header"),
    "a long trace": (labelled("traceparent", b"0" * 60_000), "bad_header"),
    "a long echo": (labelled("kafka_correlationId", bytes(1025)), "bad_header"),
    "a foreign null": (added(("x", None)), HANDLED),
    "a foreign one not UTF-8": (added(("x", b"\xff\xfe")), HANDLED),
    "a foreign one without a name": (added(("", b"")), HANDLED),
    "a foreign one of 1 KiB and more": (added(("x", b"x" * 2000)), HANDLED),
    "ten thousand foreign ones": (added(*[("x", b"y")] * 10_000), HANDLED),
    "a trace that is none": (labelled("traceparent", b"\0\r\n{}"), HANDLED),
    "an echo of bytes": (labelled("kafka_correlationId", b"\xff\0\r\n"), HANDLED),
    "an echo of null": (labelled("kafka_correlationId", None), HANDLED),
    "Spring's reply topic elsewhere": (
        labelled("kafka_replyTopic", b"auth.events.v1"),
        "reply_not_allowed",
    ),
    "Spring's reply topic not UTF-8": (labelled("kafka_replyTopic", b"\xff"), "bad_header"),
    "Spring's partition that is not there": (
        labelled("kafka_replyPartition", b"\xff" * 9),
        HANDLED,
    ),
    "Spring's partition of no bytes": (labelled("kafka_replyPartition", b""), HANDLED),
    "no key": (keyed(None), HANDLED),
    "an empty key": (keyed(b""), HANDLED),
    "a key of bytes": (keyed(b"\xff\0"), HANDLED),
    "a long key": (keyed(b"k" * 60_000), HANDLED),
}
COPIES = {
    "ce_specversion": b"1.1",
    "ce_id": str(new_id()).encode(),
    "ce_type": b"authbus.LogOut.v1",
    "ce_source": b"/clients/demo",
    "ce_time": b"2026-01-02T03:04:05Z",
    "ce_expirytime": b"2999-01-02T03:04:05Z",
    "reply_to": b"auth.replies.demo",
    "reply_partition": b"0",
    "correlation_id": b"another",
}


@pytest.mark.parametrize("name", LABELS)
async def test_labels_and_keys_are_read_or_their_record_is_buried(watch: Watch, name: str) -> None:
    make, expected = LABELS[name]

    alone = await watch.outcome(make(watch.world.web))
    between = await watch.between(make(watch.world.web))

    assert (alone, between) == (expected, expected)


@pytest.mark.parametrize("name", COPIES)
async def test_a_copied_seal_under_another_header_is_worthless(watch: Watch, name: str) -> None:
    web = watch.world.web
    original = a_log_in(web)
    copy = original.with_header(name, COPIES[name]).but(id=new_id())

    before = await watch.between(copy)
    answered = await watch.outcome(original)
    after = await watch.between(copy)

    assert (before, answered, after) == ("header_mismatch", HANDLED, "header_mismatch")
    assert len(web.answers(original.id)) == 1


async def test_a_label_may_write_a_time_another_way(watch: Watch) -> None:
    web = watch.world.web
    draft = a_log_in(web)
    told = dict(draft.headers)["ce_expirytime"] or b""
    assert told.endswith(b"Z")

    outcome = await watch.outcome(draft.with_header("ce_expirytime", told[:-1] + b"+00:00"))

    assert outcome == HANDLED


async def test_a_header_name_that_is_not_utf8_stops_nobody(watch: Watch) -> None:
    draft = a_log_in(watch.world.web)
    headers = [(name.encode(), value) for name, value in draft.headers]
    record = Raw(draft.value, draft.key, [*headers, (b"x\xff", b"1")])

    async def send() -> int:
        code, offset = await produce(
            watch.world.servers, draft.topic, batch(1, records([record])), partition=0
        )
        assert code == 0
        return offset

    suffix = watch.suffix(draft.topic)
    offset = await watch.surrounded(suffix, send)

    assert await watch.became(draft.id, suffix, 0, offset) == "bad_header"


@pytest.mark.parametrize("deltas", [(1_000_000,), (-5,), (1, 0), (0, 0, 7)], ids=str)
async def test_an_offset_made_up_inside_a_batch_hides_no_other_record(
    watch: Watch, deltas: tuple[int, ...]
) -> None:
    draft = a_log_in(watch.world.web)
    suffix = watch.suffix(draft.topic)
    raws = [Raw(b"value", b"k", (), delta) for delta in deltas]

    async def send() -> int:
        data = batch(len(raws), records(raws))
        code, offset = await produce(watch.world.servers, draft.topic, data)
        assert code == 0
        return offset

    first = await watch.surrounded(suffix, send)
    outcomes = [
        await watch.became(new_id(), suffix, 0, first + index) for index in range(len(deltas))
    ]

    right = [delta == index for index, delta in enumerate(deltas)]
    assert outcomes == ["bad_header" if fits else "bad_record" for fits in right]


async def test_the_largest_record_that_the_broker_takes_is_read_and_one_byte_more_is_refused(
    watch: Watch,
) -> None:
    draft = a_log_in(watch.world.web)
    largest = 65_536 - len(batch(1, records([Raw(bytes(60_000), b"k")]))) + 60_000

    async def send(size: int) -> int:
        data = batch(1, records([Raw(b"[" * size, b"k")]))
        code, offset = await produce(watch.world.servers, draft.topic, data)
        assert code in {0, MessageSizeTooLargeError.errno}
        return offset

    for size in (largest - 1, largest):
        suffix = watch.suffix(draft.topic)
        offset = await watch.surrounded(suffix, lambda size=size: send(size))
        assert await watch.became(new_id(), suffix, 0, offset) == "bad_header"
    assert await send(largest + 1) == -1


async def test_a_key_of_a_mebibyte_is_refused_by_the_broker(watch: Watch) -> None:
    draft = a_log_in(watch.world.web)
    data = batch(1, records([Raw(draft.value, bytes(1024 * 1024))]))

    code, _ = await produce(watch.world.servers, draft.topic, data)

    assert code == MessageSizeTooLargeError.errno
