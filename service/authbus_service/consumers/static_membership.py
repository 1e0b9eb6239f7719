"""A member with a name: killed and started again, it takes its own place in its group at once.

Kafka calls it static membership (`group.instance.id`). Without a name the group waits for the one
that was killed before anybody reads on beside the one that came back.

A name is good for one membership. A member that has lost it, because another one came under it or
because it was silent for too long, joins again without one: two of one name would push each other
out for ever. One that stops in order forgets it first: aiokafka lets a member with a name go
without a word.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import UnknownMemberIdError
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

_FENCED_INSTANCE_ID = 82


def name_once(consumer: AIOKafkaConsumer) -> None:
    """Let this consumer, which has joined its group, forget its name with its membership.

    Raises UnknownMemberIdError in aiokafka's own task, which then joins again.
    """
    coordinator: Any = getattr(consumer, "_coordinator", None)
    if _name(coordinator) is None or "reset_generation" in vars(coordinator):
        return
    reset, send = coordinator.reset_generation, coordinator._send_req  # noqa: SLF001

    def lost() -> None:
        forget_name(consumer)
        reset()

    async def sent(request: Any) -> Any:  # noqa: ANN401 - as aiokafka's own
        answer = await send(request)
        is_joining = isinstance(request, JoinGroupRequest | SyncGroupRequest)
        if is_joining and answer.error_code == _FENCED_INSTANCE_ID:
            lost()
            raise UnknownMemberIdError(f"{coordinator.group_id} has another one of our name")
        return answer

    coordinator.reset_generation, coordinator._send_req = lost, sent  # noqa: SLF001


def forget_name(consumer: AIOKafkaConsumer) -> None:
    """Let it be a member like any other: it joins as another one, and its stop tells the group."""
    coordinator: Any = getattr(consumer, "_coordinator", None)
    if _name(coordinator) is not None:
        coordinator._group_instance_id = None  # noqa: SLF001


def _name(coordinator: Any) -> str | None:  # noqa: ANN401 - two classes of aiokafka's
    return getattr(coordinator, "_group_instance_id", None)
