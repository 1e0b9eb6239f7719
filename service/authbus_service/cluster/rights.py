"""What we ourselves may do on topics, as the brokers see it: ACLs, roles and defaults together."""

from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from authbus.kafka.connection import SILENCE_MS
from authbus.kafka.refusals import refusal
from authbus_service.cluster.acls import Operation
from authbus_service.cluster.errors import KAFKA_AWAY, NoAnswerError

_FIRST = 2
_OPERATIONS = cast("tuple[Operation, ...]", get_args(Operation))


class _Answer(Response):
    API_KEY = 3  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    API_VERSION = 8  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("id", Int32), ("host", String()), ("port", Int32), ("rack", String())),
        ),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("name", String()),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("operations", Int32),
    )


class _Struct(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", Array(String())),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Ask(Request[_Struct]):
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = [*topics]

    def build(self, request_struct_class: type[_Struct]) -> _Struct:
        create, of_cluster, of_topics = False, False, True
        return request_struct_class(self._topics, create, of_cluster, of_topics)


async def rights(
    servers: str, security: Mapping[str, Any], topics: Iterable[str]
) -> dict[str, frozenset[Operation]]:
    """What this connection's principal may do on each of these topics; nothing on unknown ones.

    Raises ClusterError when Kafka does not take us.
    """
    client = AIOKafkaClient(bootstrap_servers=servers, request_timeout_ms=SILENCE_MS, **security)
    names = [*topics]
    try:
        await client.bootstrap()
        answer: Any = await client.send(client.get_random_node(), _Ask(names))
    except KAFKA_AWAY as error:
        reason = await refusal(servers, security) or error
        raise NoAnswerError("ask for our rights", servers, reason) from None
    finally:
        await client.close()
    found = {name: _named(bits) for error, name, _, _, bits in answer.topics if not error}
    return {name: found.get(name, frozenset()) for name in names}


def _named(bits: int) -> frozenset[Operation]:
    if bits < 0:  # Kafka's own word for: it was not looked at
        return frozenset()
    return frozenset(
        operation
        for number, operation in enumerate(_OPERATIONS, start=_FIRST)
        if bits & (1 << number)
    )
