"""Three brokers that are each other's controllers, each in a network namespace of its own."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from authbus_service.embedded import java, kafka, kafka_home, warm
from authbus_service.embedded.kafka import BrokerPlan
from authbus_service.embedded.processes import Process, Program
from tests.chaos.nodes.net import Net, Place, a_net, inside

COUNT = 3
_PORT, _CONTROLLER_PORT = 9092, 9093
_READY_SECONDS, _ASK_SECONDS = 120.0, 5.0
_LOOK_SECONDS = 0.3
_SETTINGS = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    # A follower that is cut off is waited for so long, by everybody who writes.
    "replica.lag.time.max.ms": "3000",
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
}


class Node:
    """One of them; `start` again after a `kill`."""

    def __init__(self, number: int, place: Place, folder: Path, voters: Sequence[Place]) -> None:
        self.place = place
        self._number, self._folder = number, folder
        self._settings = {
            **_SETTINGS,
            "node.id": str(number),
            "listeners": f"BROKER://{place.address}:{_PORT}"
            f",CONTROLLER://{place.address}:{_CONTROLLER_PORT}",
            "advertised.listeners": f"BROKER://{place.address}:{_PORT}",
            "controller.quorum.voters": ",".join(
                f"{n}@{each.address}:{_CONTROLLER_PORT}" for n, each in enumerate(voters, start=1)
            ),
        }
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None
        return self._process

    def format(self, cluster_id: str) -> None:
        """Make its log dir; all nodes have one cluster id."""
        plan = self._plan()
        plan.folder.mkdir(parents=True, mode=0o700)
        kafka.format_log_dir(plan)
        meta = plan.log_dir / "meta.properties"
        own = {"cluster.id": cluster_id, "node.id": str(self._number)}
        _write(meta, _read(meta) | own)

    def start(self) -> None:
        """Start the process; it is not ready yet."""
        plan = self._plan()
        scratch = plan.folder / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        properties = kafka.write_properties(plan)
        _write(properties, _read(properties) | self._settings)
        flags = [*plan.home.flags(), f"-Djava.io.tmpdir={scratch}"]
        command = java.command("kafka.Kafka", [str(properties)], jars=plan.home.jars, flags=flags)
        log = plan.folder / "kafka.log"
        self._process = Process(Program(name="Kafka", command=inside(self.place, command), log=log))

    def _plan(self) -> BrokerPlan:
        return BrokerPlan(
            home=kafka_home.find(),
            folder=self._folder,
            port=_PORT,
            controller_port=_CONTROLLER_PORT,
            settings={},
        )


@dataclass(frozen=True)
class Cluster:
    """All of them, and the net between them."""

    nodes: Sequence[Node]
    net: Net

    @property
    def servers(self) -> str:
        """Bootstrap addresses."""
        return ",".join(f"{each.place.address}:{_PORT}" for each in self.nodes)

    async def until_whole(self) -> None:
        """Wait until every node is part of it."""
        async with asyncio.timeout(_READY_SECONDS):
            while await self._count() < len(self.nodes):
                assert not any(each.process.ended for each in self.nodes), "a node has ended"
                await asyncio.sleep(_LOOK_SECONDS)

    async def _count(self) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        try:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(_ASK_SECONDS):
                    await admin.start()
                    return len((await admin.describe_cluster())["brokers"])
        finally:
            await admin.close()
        return 0


@asynccontextmanager
async def a_cluster(folder: Path) -> AsyncGenerator[Cluster]:
    """Three that know each other; at the end nobody needs their data."""
    await asyncio.to_thread(warm, lambda _: None)
    with a_net(COUNT) as net:
        nodes = [
            Node(n, place, folder / f"kafka{n}", net.places)
            for n, place in enumerate(net.places, start=1)
        ]
        cluster_id = kafka.new_uuid()
        for each in nodes:
            each.format(cluster_id)
        try:
            for each in nodes:
                each.start()
            cluster = Cluster(nodes, net)
            await cluster.until_whole()
            yield cluster
        finally:
            await asyncio.gather(*(each.process.kill() for each in nodes))


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def _write(path: Path, values: Mapping[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
