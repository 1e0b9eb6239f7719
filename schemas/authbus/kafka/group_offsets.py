"""How far a group has come; what its coordinator cannot tell is an error and not "nowhere".

A coordinator that still loads, or that has moved, says so once for the whole group and names no
partition. aiokafka looks at the partitions alone: a group that has read for a year would then be
one that never read. And who is no member any more moves no group.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    KafkaError,
    NotCoordinatorForGroupError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata

from authbus.kafka.joining import patient


async def group_offsets(
    admin: AIOKafkaAdminClient, group: str, places: Iterable[TopicPartition] | None = None
) -> dict[TopicPartition, OffsetAndMetadata]:
    """What a group has committed in these partitions (offset -1: nothing), or wherever it has.

    Raises KafkaError, which is retriable where the coordinator loads or has moved.
    """
    coordinator = await admin.find_coordinator(group)
    request = OffsetFetchRequest(group, None if places is None else _by_topic(places))
    answer: Any = await admin._send_request(request, coordinator)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    found: dict[TopicPartition, OffsetAndMetadata] = {}
    _check(answer.error_code, group)
    for topic, partitions in answer.topics:
        for partition, offset, metadata, code in partitions:
            _check(code, group)
            found[TopicPartition(topic, partition)] = OffsetAndMetadata(offset, metadata or "")
    return found


def heed_group(consumer: AIOKafkaConsumer) -> None:
    """Let this consumer, which has been started, ask a coordinator that cannot tell again.

    And let it commit as a member only: one that Kafka has given up would speak as nobody, which a
    group without members takes, and set back what others have committed meanwhile. Its commit
    raises CommitFailedError instead. It waits for a rebalance as long as that may take.

    Others of the same process are not touched. Without a group there is nothing to heed.
    """
    coordinator: Any = getattr(consumer, "_coordinator", None)
    if not hasattr(coordinator, "_send_req") or "_send_req" in vars(coordinator):
        return
    send = coordinator._send_req  # noqa: SLF001

    async def heeding(request: Any) -> Any:  # noqa: ANN401 - as aiokafka's own
        if isinstance(request, OffsetCommitRequest) and coordinator.generation < 0:
            raise UnknownMemberIdError(f"no member of group {coordinator.group_id}")
        async with patient(coordinator, request):
            answer = await send(request)
        if isinstance(request, OffsetFetchRequest):
            try:
                _check(answer.error_code, coordinator.group_id)
            except NotCoordinatorForGroupError:
                coordinator.coordinator_dead()
                raise
        return answer

    coordinator._send_req = heeding  # noqa: SLF001


def _by_topic(places: Iterable[TopicPartition]) -> list[tuple[str, list[int]]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for topic, partition in places:
        found[topic].append(partition)
    return list(found.items())


def _check(code: int, group: str) -> None:
    if code:
        error: type[KafkaError] = for_code(code)
        raise error(f"of group {group}")
