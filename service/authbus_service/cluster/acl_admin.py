"""ACLs read, made and taken away on a cluster."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast, get_args

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import SecurityDisabled, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from authbus.kafka.refusals import refusal
from authbus_service.cluster.acls import Acl, Operation, Resource
from authbus_service.cluster.errors import KAFKA_AWAY, ClusterError, NoAnswerError

_DEADLINE_SECONDS = 15.0
_ANY = 1
_DENY, _ALLOW = 2, 3
_RESOURCES: dict[int, Resource] = {2: "topic", 3: "group", 4: "cluster", 5: "transactional_id"}
_OPERATIONS = cast("dict[int, Operation]", dict(enumerate(get_args(Operation), start=2)))
_LITERAL, _PREFIXED = 3, 4


class AclAdmin:
    """One connection that may look at ACLs. Every call raises ClusterError with its cure."""

    def __init__(self, client: AIOKafkaClient, servers: str) -> None:
        """Speak through a connected client; `servers` is what errors name."""
        self._client, self._servers = client, servers

    async def found(self) -> frozenset[Acl]:
        """Every ACL of the cluster, those for one host and those that deny among them."""
        request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)  # pyright: ignore[reportArgumentType] - None is any
        answer = await self._send("describe ACLs", request)
        self._refuse("describe", answer.error_code, answer.error_message)
        return frozenset(
            Acl(
                *(principal, _RESOURCES[kind], name, _OPERATIONS[operation]),
                prefixed=pattern == _PREFIXED,
                host=host,
                denies=permission == _DENY,
            )
            for kind, name, pattern, found in answer.resources
            for principal, host, operation, permission in found
            if kind in _RESOURCES and operation in _OPERATIONS
        )

    async def add(self, acls: Iterable[Acl]) -> None:
        """Make these; one that is there stays."""
        for each in sorted(acls):
            answer = await self._send("make ACLs", CreateAclsRequest(*_coded(each)))
            for code, text in answer.creation_responses:
                self._refuse("make", code, text)

    async def remove(self, acls: Iterable[Acl]) -> None:
        """Take these away."""
        for each in sorted(acls):
            answer = await self._send("remove ACLs", DeleteAclsRequest(*_coded(each)))
            for code, text, *_ in answer.filter_responses:
                self._refuse("remove", code, text)

    async def _send(self, what: str, request: Any) -> Any:  # noqa: ANN401 - aiokafka has no types
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._client.send(self._client.get_random_node(), request)
        except KAFKA_AWAY as error:
            raise NoAnswerError(what, self._servers, error) from error

    def _refuse(self, what: str, code: int, text: str | None) -> None:
        if code == SecurityDisabled.errno:
            raise ClusterError(
                f"Kafka at {self._servers} has no authorizer: everybody may do everything. "
                "Set authorizer.class.name on its brokers"
            )
        if code:
            right = "DESCRIBE" if what == "describe" else "ALTER"
            raise ClusterError(
                f"Kafka at {self._servers} does not let us {what} ACLs: {for_code(code).__name__}"
                f"{f' ({text})' if text else ''}. That needs {right} on the cluster: do it as "
                "somebody who has it"
            )


@asynccontextmanager
async def acl_admin(servers: str, security: Mapping[str, Any]) -> AsyncGenerator[AclAdmin]:
    """A connection for the length of a block. Raises ClusterError where there is none."""
    client = AIOKafkaClient(bootstrap_servers=servers, **security)
    try:
        try:
            await client.bootstrap()
        except KAFKA_AWAY as error:
            reason = await refusal(servers, security) or error
            raise NoAnswerError("look at ACLs", servers, reason) from None
        yield AclAdmin(client, servers)
    finally:
        await client.close()


def _coded(acl: Acl) -> tuple[int, str, int, str, str, int, int]:
    kind = {name: code for code, name in _RESOURCES.items()}[acl.resource]
    operation = {name: code for code, name in _OPERATIONS.items()}[acl.operation]
    pattern = _PREFIXED if acl.prefixed else _LITERAL
    permission = _DENY if acl.denies else _ALLOW
    return kind, acl.name, pattern, acl.principal, acl.host, operation, permission
