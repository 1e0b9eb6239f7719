"""The show: the story runs while two readers watch; it ends when all three have seen the end."""

import asyncio

from authbus import AuthClient, EventStream, SessionEnded
from authbus.envelope import read_headers
from authbus.topics import COMMAND_TOPICS, USERS_STATE, Topic
from authbus_service.core.config import Settings
from authbus_service.demo.screen import Screen
from authbus_service.demo.stage import CLIENT, Stage, stage
from authbus_service.demo.story import Told, tell_story
from authbus_service.demo.tap import Record, Tap
from authbus_service.startup.errors import StartupError

_LONGEST_SECONDS = 60


async def show(settings: Settings, *, show_bytes: bool) -> None:
    """Run the show on the servers that are given, or on its own.

    Raises StartupError when the service does not start, or when a secret was readable on Kafka.
    """
    screen = Screen()
    screen.words("Starting a service that will be thrown away ...", "")
    async with stage(settings) as place, asyncio.timeout(_LONGEST_SECONDS):
        ended = asyncio.Event()
        tap = _tap(place, screen, show_bytes=show_bytes)
        async with asyncio.TaskGroup() as watchers:
            watchers.create_task(tap.run(ended))
            downstream = watchers.create_task(_downstream(place, screen))
            async with AuthClient(
                place.kafka,
                client_id=CLIENT,
                namespace=place.namespace,
                trust=place.trust,
                security=place.security,
            ) as auth:
                told = await tell_story(auth, screen)
            await downstream
            ended.set()
        _look_for_secrets(tap, told, screen, place)
    screen.words(*_NEXT)


async def _downstream(place: Stage, screen: Screen) -> None:
    """What a module of yours would do: take each event, once and in order."""
    group = f"{place.namespace}.demo"
    async for event in EventStream(
        place.kafka, group=group, namespace=place.namespace, security=place.security
    ):
        data = event.data
        screen.tell("downstream", type(data).__name__, **data.model_dump())
        if isinstance(data, SessionEnded):
            return


def _tap(place: Stage, screen: Screen, *, show_bytes: bool) -> Tap:
    def passing(topic: Topic, record: Record) -> None:
        if topic not in COMMAND_TOPICS and not topic.suffix.startswith("replies."):
            return
        who = "command" if topic in COMMAND_TOPICS else "reply"
        kind = read_headers(record.headers).get("ce_type", "?")
        value = record.value or b""
        place_ = f"{record.topic}/{record.partition}@{record.offset}"
        screen.tell(who, kind, at=place_, bytes=len(value))
        if show_bytes and who == "command":
            screen.tell(who, "as it stands on Kafka", value=value.decode(errors="replace"))

    known = place.security.arguments(place.kafka)
    return Tap(place.kafka, place.namespace, CLIENT, passing, known)


def _look_for_secrets(tap: Tap, told: Told, screen: Screen, place: Stage) -> None:
    """Look for what must not be readable in every byte of every record."""
    secrets, address = tap.holding(told.secrets), tap.holding([told.email])
    screen.tell(
        "demo",
        f"looked through all {len(tap.records)} records, without a key",
        passwords_and_tokens_on=sorted(secrets),
        address_on=sorted(address),
    )
    if secrets or address - {USERS_STATE.name(place.namespace)}:
        raise StartupError(
            "a secret or an address is readable where it must not be. Tell us: this is a bug"
        )


_NEXT = (
    "",
    "What next?",
    "  authbus demo --bytes   the same, with each command as it stands on Kafka",
    "  make serve             a service that keeps running and its data",
    "  README.md              the first ten minutes of a producer, a downstream module, ops",
)
