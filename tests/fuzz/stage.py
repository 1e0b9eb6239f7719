"""Where it happens: a real service as a process of its own, and all that is watched of it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr
from sqlalchemy import text

from authbus import LoggedIn, LogIn, Registered, RegisterUser
from authbus.state import PublicKey
from authbus.topics import COMMAND_TOPICS, KEYS_STATE
from authbus_service.core.database import Database, connect
from authbus_service.core.security.masters import Masters
from tests.fuzz.ear import Ear, hearing
from tests.fuzz.scene import PASSWORD, Person, Scene
from tests.rig.batches import Wire, wired
from tests.rig.processes import ServiceProcess, serving
from tests.rig.producing import Producer
from tests.rig.topics import records

_KEY_SECONDS = _HEARD_SECONDS = 10
# Two accounts whose passwords differ in what comes after 72 bytes.
TWIN = "q7 " * 24
PEOPLE = {
    "ana": PASSWORD,
    "twin": TWIN + "-one",
    "accents": "caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9",
}

ARM = text(
    "INSERT INTO fuzz.armed"
    " SELECT :id, :how, CAST(:slot AS text), setval(CAST(:slot AS text)::regclass, 1, false)"
)


@dataclass
class Stage:
    """The log from `first_line` on is that of a service that has started."""

    settings: Mapping[str, str]
    database: Database
    process: ServiceProcess
    log: Path
    wire: Wire
    ear: Ear
    scene: Scene
    first_line: int = 0

    @property
    def servers(self) -> str:
        return self.settings["KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def namespace(self) -> str:
        return self.settings["AUTHBUS_NAMESPACE"]

    @property
    def is_alive(self) -> bool:
        return self.process.child.returncode is None

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; each line must be one JSON object of ASCII."""
        written = self.log.read_text(encoding="ascii")
        return [json.loads(line) for line in written.splitlines()]

    async def arm(self) -> None:
        """Let PostgreSQL know at which of the next commands it is to fail, and how."""
        if self.scene.armed:
            async with self.database.transaction() as db:
                for slot, (id_, how) in enumerate(self.scene.armed):
                    await db.execute(ARM, {"id": id_, "how": how, "slot": f"fuzz.slot_{slot}"})
            self.scene.armed.clear()

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with self.database.reading() as db:
            return [dict(row) for row in (await db.execute(text(sql))).mappings()]

    async def lag(self, within: float = 15) -> dict[tuple[str, int], int]:
        """How far the fence is behind what was written, once it has had time to come."""
        async with asyncio.timeout(within + 30):
            while (behind := await self._behind()) and within > 0:
                await asyncio.sleep(0.2)
                within -= 0.2
        return behind

    async def _behind(self) -> dict[tuple[str, int], int]:
        places = {
            TopicPartition(topic.name(self.namespace), n): (topic.suffix, n)
            for topic in COMMAND_TOPICS
            for n in range(topic.partitions)
        }
        async with AIOKafkaConsumer(bootstrap_servers=self.servers) as consumer:
            consumer.assign([*places])  # it hears of all topics at once then
            ends = await consumer.end_offsets(list(places))
        rows = await self.rows("SELECT * FROM fence")
        fence = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        return {
            place: end - fence.get(place, 0)
            for each, place in places.items()
            if (end := ends[each]) > fence.get(place, 0)
        }


@asynccontextmanager
async def staged(settings: Mapping[str, str], folder: Path, seed: int) -> AsyncGenerator[Stage]:
    """A service with these settings, on a database with tables, and people who have accounts."""
    log, servers = folder / "service.log", settings["KAFKA_BOOTSTRAP_SERVERS"]
    namespace = settings["AUTHBUS_NAMESPACE"]
    database = connect(settings["DATABASE_URL"])
    try:
        async with serving(settings, log) as process, wired(servers) as wire:
            jwk = await _jwk(servers, namespace)
            web, demo = (Producer(servers, namespace, jwk, each) for each in ("web", "demo"))
            await asyncio.gather(web.start(), demo.start())
            masters = Masters.read(SecretStr(settings["AUTHBUS_MASTER_KEY"]), None)
            scene = Scene(web, demo, Random(seed), f"canary{uuid4().hex}", masters)
            try:
                async with hearing(servers, namespace) as ear:
                    stage = Stage(settings, database, process, log, wire, ear, scene)
                    await _inhabited(scene, web)
                    # What it hears later than its clients is not to be taken for something else.
                    assert await ear.until(
                        lambda: len(ear.all()) > len(PEOPLE), within=_HEARD_SECONDS
                    )
                    stage.first_line = len(stage.lines())
                    yield stage
            finally:
                await asyncio.gather(web.stop(), demo.stop())
    finally:
        await database.close()


async def _jwk(servers: str, namespace: str) -> Mapping[str, str]:
    """The key to seal to, once the relay has said it."""
    async with asyncio.timeout(_KEY_SECONDS):
        while True:
            async for record in records(servers, KEYS_STATE, namespace):
                key = PublicKey.model_validate_json(record.value) if record.value else None
                if key is not None and key.use == "enc":
                    return key.jwk


async def _inhabited(scene: Scene, web: Producer) -> None:
    for name, password in PEOPLE.items():
        email = f"{name}-{uuid4().hex[:8]}@example.com"
        command = RegisterUser(email=email, password=SecretStr(password))
        assert isinstance(await web.ask(scene.draft(command)), Registered)
        scene.people[name] = Person(email, password)
    known = LogIn(email=scene.people["ana"].email, password=SecretStr(PASSWORD))
    session = await web.ask(scene.draft(known))
    assert isinstance(session, LoggedIn)
    scene.access_token = session.access_token.get_secret_value()
