"""`authbus watch` as a program: what it prints, and how it ends."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from authbus.topics import CREDENTIALS
from authbus_service.core.exit_status import Exit
from authbus_service.embedded import EmbeddedStack
from tests.rig import programs
from tests.rig.accident import serving
from tests.rig.brokers import How, away
from tests.rig.crowd import Crowd
from tests.rig.world import World


async def a_watch(world: World, folder: Path, *arguments: str) -> programs.Program:
    """A program that watches."""
    clients = folder / "clients.toml"
    clients.write_text('[[client]]\nid = "web"\n')
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": world.servers,
        "AUTHBUS_NAMESPACE": world.namespace,
        "AUTHBUS_CLIENTS": str(clients),
    }
    environment = {**os.environ, **settings}
    return await programs.start("watch", *arguments, environment=environment, folder=folder)


async def test_a_command_and_what_comes_of_it_are_lines_of_json_until_it_is_interrupted(
    world: World, tmp_path: Path
) -> None:
    watch = await a_watch(world, tmp_path, "--where", "client=web")

    async with asyncio.timeout(40):
        begins = await watch.stderr.readline()
        async with serving(world):
            await Crowd(world).asked(Crowd(world).registers([0]))
            lines = [json.loads(await watch.stdout.readline()) for _ in range(4)]
        watch.send_signal(signal.SIGINT)
        rest, errors = await watch.communicate()

    assert begins.startswith(b"watching ")
    of = {each["kind"]: each for each in lines}
    assert sorted(of) == ["audit", "command", "event", "reply"]
    assert len({each["command_id"] for each in lines}) == 1
    assert (of["command"]["client"], of["reply"]["outcome"]) == ("web", "done")
    assert {*of["command"]["after_ms"], *of["reply"]["after_ms"]} == {"sent", "answered"}
    assert (watch.returncode, rest, errors) == (Exit.DONE, b"", b"")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("killed", marks=pytest.mark.gate),
        pytest.param("frozen", marks=pytest.mark.nightly),
    ],
)
async def test_while_kafka_is_away_it_says_so_once_and_goes_on_when_it_is_back(
    world: World, stack: EmbeddedStack, tmp_path: Path, how: How
) -> None:
    await world.web.stop()
    watch = await a_watch(world, tmp_path)

    async with asyncio.timeout(120):
        await watch.stderr.readline()
        async with away(stack, how):
            said = (await watch.stderr.readline()).decode()
            await asyncio.sleep(1)
        back = await watch.stderr.readline()
        async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
            await producer.send_and_wait(CREDENTIALS.name(world.namespace), b"noise")
        shown = json.loads(await watch.stdout.readline())
        watch.send_signal(signal.SIGINT)
        rest, errors = await watch.communicate()

    assert said.startswith(f"authbus: Kafka at {world.servers} cannot be reached: ")
    assert (back, shown["kind"]) == (b"Kafka answers again\n", "command")
    assert (watch.returncode, rest, errors) == (Exit.DONE, b"", b"")
