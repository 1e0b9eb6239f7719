"""A relay in a process of its own, slow where a crash hurts; it says at which point it is.

`python -m tests.chaos.relay.runner '{...}'` with the fields of `Orders`. It ends when it is killed.
"""

import asyncio
import random
import sys
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import BaseModel

from authbus_service.core.database import connect
from authbus_service.core.logging import configure
from authbus_service.outbox.repository import Said
from authbus_service.relay import loop, producer
from authbus_service.relay.loop import Pace, Relay

_ROWS = 300


class Orders(BaseModel):
    """What the parent wants. `remembers` off is the control."""

    database_url: str
    servers: str
    namespace: str
    epoch: UUID
    holder: UUID
    lease_seconds: float
    remembers: bool = True


async def at(point: str) -> None:
    """Tell where we are and stay there for a while."""
    sys.stdout.write(f'{{"event":"{point}"}}\n')
    sys.stdout.flush()
    await asyncio.sleep(random.choice((0.01, 0.03, 0.06)))


class SlowProducer(AIOKafkaProducer):
    async def begin_transaction(self) -> None:
        await at("begins")
        await super().begin_transaction()

    async def commit_transaction(self) -> None:
        await at("has sent")
        await super().commit_transaction()


class SlowRelay(Relay):
    async def _forget(self, said: list[Said]) -> None:
        await at("has committed")
        await super()._forget(said)
        await at("has deleted")


class Forgetful(SlowRelay):
    async def _settle(self) -> None:
        return


async def run(orders: Orders) -> None:
    kinds: dict[bool, type[Relay]] = {True: SlowRelay, False: Forgetful}
    relay = kinds[orders.remembers](
        connect(orders.database_url, connections=3),
        bootstrap_servers=orders.servers,
        namespace=orders.namespace,
        epoch=orders.epoch,
        holder=orders.holder,
        lease_seconds=orders.lease_seconds,
        pace=Pace(first_retry=0.02, last_retry=0.2),
    )
    await at("stands by")
    await relay.run()


def main() -> None:
    configure("json", "info", sys.stdout)
    patched: Any = loop
    patched._ROWS = _ROWS
    made: Any = producer
    made.AIOKafkaProducer = SlowProducer
    asyncio.run(run(Orders.model_validate_json(sys.argv[1])))


if __name__ == "__main__":
    main()
