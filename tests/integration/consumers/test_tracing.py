"""One trace leads from the producer through the command and the relay to the event."""

from collections.abc import Sequence
from functools import partial
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from authbus.commands import LogIn, RegisterUser
from authbus.envelope import read_headers
from authbus.topics import EVENTS
from authbus_service.core.metrics import Metrics, Stage
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.tracing import Traces
from authbus_service.core.watch import Watch
from authbus_service.relay.loop import Relay
from authbus_service.relay.spans import spans_of
from tests.integration.consumers.test_states import said
from tests.integration.relay.world import running, until
from tests.rig.world import World

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CAUSE = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(spans: InMemorySpanExporter) -> Traces:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Traces(provider)


async def relayed(world: World, traces: Traces) -> None:
    relay = Relay(
        world.database,
        bootstrap_servers=world.servers,
        namespace=world.namespace,
        epoch=uuid4(),
        holder=uuid4(),
    )
    relay.around = partial(spans_of, traces, world.namespace)

    async def is_said() -> bool:
        return not await world.rows("SELECT 1 FROM outbox")

    async with running(relay):
        await until(is_said)


def named(spans: Sequence[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = [each for each in spans if each.name == name]
    return found


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def linked(span: ReadableSpan) -> set[int]:
    return {each.context.span_id for each in span.links}


async def test_a_trace_goes_on_from_the_producer_to_the_event(
    world: World, spans: InMemorySpanExporter, traces: Traces
) -> None:
    world.watch = Watch(Metrics(), traces)
    around = partial(world.watch.stage, Stage.HASH)
    world.hashes = HashPool(world.hashes.hasher, around=around)
    register = world.web.draft(RegisterUser(email=EMAIL, password=SecretStr(PASSWORD)))
    async with world.consuming():
        await world.web.ask(register.with_header("traceparent", CAUSE.encode()))
    world.hashes.close()
    await relayed(world, traces)
    (event,) = await said(world, EVENTS)

    found = spans.get_finished_spans()
    ours = [each for each in found if each.context and f"{each.context.trace_id:032x}" == TRACE]
    process = named(ours, f"process {world.namespace}.commands.credentials.v1")
    commit, group = named(ours, "commit"), named(found, "commit group")
    assert process.context and commit.context and group.context  # noqa: PT018 - for the types
    assert parent_of(process) == int(PARENT, 16)
    assert {each.name for each in ours if parent_of(each) == process.context.span_id} == {
        *("open", "prepare", "commit", "reply")
    }
    prepare = named(ours, "prepare").context
    assert prepare
    assert parent_of(named(ours, "hash")) == prepare.span_id
    assert parent_of(named(ours, f"send {world.namespace}.events.v1")) == commit.context.span_id
    assert read_headers(event.headers)["traceparent"] == (
        f"00-{TRACE}-{commit.context.span_id:016x}-01"
    )
    assert (linked(group), linked(commit)) == ({commit.context.span_id}, {group.context.span_id})
    about = dict(process.attributes or {})
    assert (about["authbus.type"], about["authbus.outcome"]) == ("RegisterUser", "done")
    assert about["messaging.message.id"] == str(register.id)


async def test_no_span_holds_what_was_inside_a_seal_or_an_errors_text(
    world: World, spans: InMemorySpanExporter, traces: Traces
) -> None:
    world.watch = Watch(Metrics(), traces)
    canary = "canary-4711"
    wrong = LogIn(email=f"{canary}@example.com", password=SecretStr(canary), device=canary)
    draft = world.web.draft(wrong, key=canary.encode())
    async with world.consuming():
        await world.web.ask(draft)
        await world.web.send(draft.with_header("traceparent", canary.encode()))
        await world.web.send(
            draft.but(value=canary.encode()).with_header("ce_type", b"canary-4711")
        )
        await world.dead_letters(1)
    with pytest.raises(ValueError, match=canary), world.watch.stage(Stage.OPEN):
        raise ValueError(canary)

    told_of = [each.to_json() for each in spans.get_finished_spans()]
    assert len(told_of) > 8
    assert [each for each in told_of if canary in each] == []
    assert '"error.type": "ValueError"' in told_of[-1]


async def test_without_traces_the_producers_context_is_passed_on(world: World) -> None:
    register = world.web.draft(RegisterUser(email=EMAIL, password=SecretStr(PASSWORD)))
    async with world.consuming():
        await world.web.ask(register.with_header("traceparent", CAUSE.encode()))

    rows = await world.rows("SELECT headers FROM outbox WHERE type LIKE '%UserCreated%'")
    assert ["traceparent", CAUSE] in rows[0]["headers"]
