"""Three brokers that are each other's controllers, each behind a door of one proxy.

They speak to each other past the proxy; where root is, each is in a network namespace of its own.
"""

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
from tests.chaos.nodes.net import Net, a_net, inside
from tests.chaos.proxy import Door, Proxy

COUNT = 3
_READY_SECONDS, _ASK_SECONDS = 120.0, 5.0
_LOOK_SECONDS = 0.3
_SETTINGS = {
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:PLAINTEXT",
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
    """One of them; `start` again after a `kill`. Who comes in by its door comes back by it."""

    def __init__(self, number: int, net: Net, folder: Path, door: Door) -> None:
        place = net.places[number - 1]
        broker = f"BROKER://{place.address}:{place.port}"
        self.place = place
        self._number, self._folder = number, folder
        self._settings = {
            **_SETTINGS,
            "node.id": str(number),
            "listeners": f"{broker},DOOR://{place.address}:{place.door_port}"
            f",CONTROLLER://{place.address}:{place.controller_port}",
            "advertised.listeners": f"{broker},DOOR://127.0.0.1:{door.port}",
            "controller.quorum.voters": ",".join(
                f"{n}@{each.address}:{each.controller_port}"
                for n, each in enumerate(net.places, start=1)
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
            port=self.place.port,
            controller_port=self.place.controller_port,
            settings={},
        )


@dataclass(frozen=True)
class Cluster:
    """All of them, the net between them, and the proxy before them: each node's place is its door.

    `servers` are bootstrap addresses past the proxy, `proxied` those of its doors.
    """

    nodes: Sequence[Node]
    net: Net
    proxy: Proxy

    @property
    def servers(self) -> str:
        return ",".join(f"{each.place.address}:{each.place.port}" for each in self.nodes)

    @property
    def proxied(self) -> str:
        return ",".join(f"127.0.0.1:{each.port}" for each in self.proxy.doors)

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
        doors = [Door(each.door_port, each.address) for each in net.places]
        async with Proxy(*doors) as proxy, _running(folder, net, proxy) as nodes:
            cluster = Cluster(nodes, net, proxy)
            await cluster.until_whole()
            yield cluster


@asynccontextmanager
async def _running(folder: Path, net: Net, proxy: Proxy) -> AsyncGenerator[Sequence[Node]]:
    nodes = [
        Node(n, net, folder / f"kafka{n}", door) for n, door in enumerate(proxy.doors, start=1)
    ]
    cluster_id = kafka.new_uuid()
    for each in nodes:
        each.format(cluster_id)
    try:
        for each in nodes:
            each.start()
        yield nodes
    finally:
        await asyncio.gather(*(each.process.kill() for each in nodes))


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def _write(path: Path, values: Mapping[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
