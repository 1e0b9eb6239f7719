"""Headers are claims: read without raising anything else, and held against what is sealed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authbus.envelope import Sealed
from authbus_service.consumers.labels import Labels, claimed_id, instant, read_labels
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, an_arrival

SEALED = Sealed(
    id=new_id(),
    type="authbus.LogIn.v1",
    source="/clients/web",
    time=NOW,
    expirytime=NOW + timedelta(minutes=5),
    reply_to="auth.replies.web",
    reply_partition=3,
    correlation_id="17",
    data={},
)
ALTERED = {
    "ce_specversion": ["1.1", "", "1.0 "],
    "ce_id": [str(new_id()), "00000000-0000-0000-0000-000000000000"],
    "ce_type": ["authbus.LogOut.v1", "authbus.login.v1", ""],
    "ce_source": ["/clients/demo", "/clients/web/", ""],
    "ce_time": ["2026-01-02T03:04:06Z", "2026-01-02T03:04:05", "", "now"],
    "ce_expirytime": ["2026-01-02T03:09:06Z", "9999-12-31T23:59:59Z", ""],
    "reply_to": ["auth.replies.demo", "AUTH.REPLIES.WEB", ""],
    "reply_partition": ["4", "03", "3.0", "-1", ""],
    "correlation_id": ["18", "17 ", ""],
}
# Headers that say nothing of what is sealed.
FREE = {"content-type", "ce_subject", "traceparent"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

NAMES = st.sampled_from([*ALTERED, *FREE, "kafka_replyTopic", "kafka_correlationId"])
VALUES = st.none() | st.binary(max_size=40) | st.just(str(SEALED.id).encode())


def labels_of(headers: Any) -> Labels:
    return read_labels(replace(an_arrival(0), headers=headers))


def told(**changed: str) -> list[tuple[str, bytes]]:
    return list({**dict(SEALED.headers()), **{n: v.encode() for n, v in changed.items()}}.items())


def test_headers_that_repeat_what_is_sealed_agree() -> None:
    assert labels_of(told()).agree_with(SEALED)
    assert labels_of(told(ce_time="2026-01-02T04:04:05+01:00")).agree_with(SEALED)


def test_every_header_that_a_seal_repeats_is_held_against_it() -> None:
    assert {name for name, _ in SEALED.headers()} - FREE == set(ALTERED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in ALTERED.items()
        for number, value in enumerate(values)
    ],
)
def test_an_altered_header_is_noticed(name: str, value: str) -> None:
    assert not labels_of(told(**{name: value})).agree_with(SEALED)


@pytest.mark.parametrize("name", ["reply_to", "reply_partition"])
def test_a_header_that_is_not_sealed_is_noticed(name: str) -> None:
    assert not labels_of(told()).agree_with(SEALED.model_copy(update={name: None}))


def test_a_correlation_id_chosen_after_sealing_is_free() -> None:
    assert labels_of(told()).agree_with(SEALED.model_copy(update={"correlation_id": None}))


@pytest.mark.parametrize(
    "text",
    ["", "00", TRACE.upper(), TRACE + "\n", TRACE + "-x", "\0" + TRACE[1:], "ana@example.com"],
    ids=ascii,
)
def test_only_a_trace_context_goes_on(text: str) -> None:
    assert labels_of(told(traceparent=TRACE)).traceparent == TRACE
    assert labels_of(told(traceparent=text)).traceparent is None


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
@example([("ce_id", str(SEALED.id).encode()), ("kafka_replyPartition", b"\xff" * 99)])
def test_headers_of_any_kind_are_read_or_refused(headers: list[tuple[str, bytes | None]]) -> None:
    try:
        labels = labels_of(headers)
    except UnreadableError:
        return
    assert labels.agree_with(SEALED) in {True, False}
    assert labels.expires_at is None or labels.expires_at.tzinfo


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02U03:04:05Z",
        "2026-01-02\x0003:04:05Z",
        "2026-01-02T03:04:05,5Z",
        "20260102T030405Z",
        "2026-W01-5T03:04:05Z",
        "2026-01-02T03:04Z",
        "2026-01-02T03:04:05+0000",
        "2026-01-02T03:04:05+00:00:00",
        "\u0662026-01-02T03:04:05Z",
        "2026-01-02T03:04:05Z\n",
    ],
    ids=ascii,
)
def test_what_is_no_time_of_rfc_3339_is_none(text: str) -> None:
    assert instant(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02t03:04:05z",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02T03:04:05.0Z",
        "2026-01-02T03:04:05.000000000Z",
    ],
)
def test_each_form_of_rfc_3339_is_the_same_time(text: str) -> None:
    assert instant(text) == NOW


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?[Z+-].{0,6}"))
def test_a_time_is_read_or_is_none(text: str) -> None:
    at = instant(text)

    assert at is None or at.tzinfo


@pytest.mark.parametrize(
    "form",
    ["{{{}}}", "urn:uuid:{}", "{} ", "+{}", "{:.35}", "{:.35}_", "{:.35}\u0661"],
)
def test_a_command_has_its_id_in_one_form_alone_of_any_case(form: str) -> None:
    text = str(SEALED.id)

    assert claimed_id(text) == claimed_id(text.upper()) == SEALED.id
    assert claimed_id(form.format(text)) is None
    with pytest.raises(UnreadableError):
        labels_of([("ce_id", form.format(text).encode())])
