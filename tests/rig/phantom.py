"""Events that the service did not tell so: of an aborted transaction, or once more, too late.

A service that hears of a user whom its database does not know ends: ask it nothing afterwards.
"""

from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from authbus.envelope import own_headers
from authbus.events import UserCreated
from authbus.message import Event
from authbus.topics import EVENTS
from authbus_service.core.clock import now


async def aborted_and_committed(servers: str, namespace: str) -> tuple[UUID, UUID]:
    """The users of two events on one partition: the first's transaction was aborted."""
    never, real = uuid4(), uuid4()
    async with AIOKafkaProducer(
        bootstrap_servers=servers, transactional_id=f"{namespace}-phantom"
    ) as producer:
        await producer.begin_transaction()
        await _tell(producer, namespace, never)
        await producer.abort_transaction()
        await producer.begin_transaction()
        await _tell(producer, namespace, real)
        await producer.commit_transaction()
    return never, real


async def told_again(servers: str, namespace: str, event: Event) -> None:
    """An event of before, behind all that was told since."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await _send(producer, namespace, event)


async def _tell(producer: AIOKafkaProducer, namespace: str, user_id: UUID) -> None:
    actor = f"user:{user_id}"
    event = UserCreated(user_id=user_id, sequence=1, actor=actor, causation_id=uuid4())
    await _send(producer, namespace, event, partition=0)


async def _send(
    producer: AIOKafkaProducer, namespace: str, event: Event, partition: int | None = None
) -> None:
    subject = str(event.user_id)
    headers = own_headers(
        event.wire_type(), id=uuid4(), time=now(), subject=subject, cause=event.causation_id
    )
    await producer.send_and_wait(
        EVENTS.name(namespace),
        event.to_bytes(),
        key=subject.encode(),
        partition=partition,
        headers=headers,
    )
