"""A second broker beside that of a stack, so that a topic can have two copies and lack one."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from authbus_service.embedded import EmbeddedStack, java, kafka, kafka_home, ports
from authbus_service.embedded.processes import Process, Program

_READY_SECONDS, _LOOK_SECONDS = 60.0, 0.1
_NUMBER = "2"


@asynccontextmanager
async def a_second_broker(
    stack: EmbeddedStack, admin: AIOKafkaAdminClient, folder: Path
) -> AsyncGenerator[Process]:
    """One that the first has taken up; it may be killed."""
    home = kafka_home.find()
    log_dir, properties = kafka.log_dir(folder), folder / "broker.properties"
    shutil.copytree(home.template, log_dir)
    own = {"node.id": _NUMBER, "directory.id": kafka.new_uuid()}
    _write(log_dir / "meta.properties", _read(stack.kafka_log_dir / "meta.properties") | own)
    _write(properties, _read(stack.kafka_log_dir.parent / properties.name) | _settings(log_dir))
    command = java.command("kafka.Kafka", [str(properties)], jars=home.jars, flags=home.flags())
    process = Process(Program(name="Kafka", command=command, log=folder / "kafka.log"))

    async def taken_up() -> bool:
        return len((await admin.describe_cluster())["brokers"]) == int(_NUMBER)

    try:
        await process.until(taken_up, _READY_SECONDS)
        yield process
    finally:
        await process.kill()


async def copies(admin: AIOKafkaAdminClient, topic: str, number: int) -> None:
    """Wait until each partition of a topic has so many copies that are in step."""
    async with asyncio.timeout(_READY_SECONDS):
        while await _in_step(admin, topic) != {number}:  # noqa: ASYNC110 - Kafka wakes nobody
            await asyncio.sleep(_LOOK_SECONDS)


async def _in_step(admin: AIOKafkaAdminClient, topic: str) -> set[int]:
    with suppress(KafkaError):  # the one that is asked may be the one that is gone
        (found,) = await admin.describe_topics([topic])
        return {len(each["isr"]) for each in found["partitions"]}
    return set()


def _settings(log_dir: Path) -> dict[str, str]:
    (port,) = ports.free(1)
    address = f"BROKER://127.0.0.1:{port}"
    return {
        "node.id": _NUMBER,
        "process.roles": "broker",
        "listeners": address,
        "advertised.listeners": address,
        "log.dirs": str(log_dir),
    }


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def _write(path: Path, values: Mapping[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
