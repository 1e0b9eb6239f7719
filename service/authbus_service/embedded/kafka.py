"""One Apache Kafka broker that is its own controller (KRaft), on the loopback."""

import asyncio
import base64
import secrets
import shutil
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from authbus_service.embedded import java
from authbus_service.embedded.kafka_home import KafkaHome
from authbus_service.embedded.processes import Process, Program

_READY_SECONDS = 120.0
_ANSWER_SECONDS = 5.0
_METADATA = struct.pack(">ihhihib", 15, 3, 4, 1, -1, 0, 0)
"""A whole request: its length, Metadata, version 4, correlation id, no client, no topics."""

_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    # Topics are contracts: a name that nobody declared is an error.
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Short, so that tests of dead members and hanging transactions are quick.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.heartbeat.interval.ms": "500",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # A restart after a SIGKILL waits this long for the broker that is no more.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "200",
    "controller.quorum.election.backoff.max.ms": "200",
    # Small: one broker for one machine.
    "num.network.threads": "1",
    "num.io.threads": "2",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.segment.bytes": "16777216",
    "log.index.size.max.bytes": "1048576",
    "socket.request.max.bytes": "4194304",
}
_LISTS = {"listeners", "advertised.listeners", "listener.security.protocol.map"}


@dataclass(frozen=True, kw_only=True)
class BrokerPlan:
    """Where a broker runs and with what; `settings` go over the usual ones, listeners beside."""

    home: KafkaHome
    folder: Path
    port: int
    controller_port: int
    settings: Mapping[str, str]
    durable: bool = False
    keep_open: tuple[int, ...] = ()

    @property
    def log_dir(self) -> Path:
        """The folder of the topics."""
        return log_dir(self.folder)


def log_dir(folder: Path) -> Path:
    """Return where a broker that lives in `folder` keeps its topics."""
    return folder / "log"


def format_log_dir(plan: BrokerPlan) -> None:
    """Give a new broker its log dir and a cluster id of its own; an old one is left alone."""
    if (plan.log_dir / "meta.properties").exists():
        return
    fresh = plan.folder / "log.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(plan.home.template, fresh)
    meta = fresh / "meta.properties"
    values = _meta(meta) | {"cluster.id": new_uuid(), "directory.id": new_uuid()}
    meta.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.rename(plan.log_dir)


def new_uuid() -> str:
    """Return an id as Kafka writes them: 22 characters that do not start with a dash."""
    while True:
        text = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def write_properties(plan: BrokerPlan) -> Path:
    """Write the broker's configuration and return its path."""
    address, controller = f"127.0.0.1:{plan.port}", f"127.0.0.1:{plan.controller_port}"
    values = {
        **_SETTINGS,
        "listeners": f"BROKER://{address},CONTROLLER://{controller}",
        "advertised.listeners": f"BROKER://{address}",
        "controller.quorum.voters": f"1@{controller}",
        # A path would be split at commas, and read as Latin-1 with escapes; it runs in its folder.
        "log.dirs": plan.log_dir.name,
        **({"log.flush.interval.messages": "1"} if plan.durable else {}),
    }
    beside = {name: f"{values[name]},{plan.settings[name]}" for name in _LISTS & {*plan.settings}}
    values |= {**plan.settings, **beside}
    path = plan.folder / "broker.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


def start(plan: BrokerPlan, *flags: str) -> Process:
    """Start the broker's process; it is not ready yet."""
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = plan.folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    format_log_dir(plan)
    command = java.command(
        "kafka.Kafka",
        [str(write_properties(plan))],
        jars=plan.home.jars,
        flags=[*flags, f"-Djava.io.tmpdir={scratch}"],
    )
    return Process(
        Program(
            name="Kafka",
            command=command,
            log=plan.folder / "kafka.log",
            keep_open=plan.keep_open,
        )
    )


async def ready(process: Process, plan: BrokerPlan) -> None:
    """Wait until this very broker answers; raise ServerFailedError when it does not.

    The answer must hold the broker's own cluster id: between finding a free port and listening on
    it, another broker may have taken it.
    """
    cluster_id = _meta(plan.log_dir / "meta.properties")["cluster.id"].encode()

    async def answers() -> bool:
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                return cluster_id in await _ask_metadata(plan.port)
        return False

    await process.until(answers, _READY_SECONDS)


async def _ask_metadata(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_METADATA)
        size = int.from_bytes(await reader.readexactly(4))
        return await reader.readexactly(size)
    finally:
        writer.close()


def _meta(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines if "=" in line)
