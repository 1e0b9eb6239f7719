"""SCRAM passwords of Kafka's users, set while the broker runs (AlterUserScramCredentials)."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_ROUNDS = 4096
_MECHANISMS = {1: "sha256", 2: "sha512"}


class _Answer(Response):
    API_KEY = 51  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    API_VERSION = 0  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Struct(RequestStruct):
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _Answer
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(
                ("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)
            ),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Ask(Request[_Struct]):
    API_KEY = 51

    def __init__(self, mechanism: int, passwords: Mapping[str, str]) -> None:
        self._mechanism, self._passwords = mechanism, passwords

    def build(self, request_struct_class: type[_Struct]) -> _Struct:
        upsertions: list[Any] = []
        for user, password in self._passwords.items():
            salt = os.urandom(16)
            name = _MECHANISMS[self._mechanism]
            salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, _ROUNDS)
            upsertions.append((user, self._mechanism, _ROUNDS, salt, salted, {}))
        return request_struct_class([], upsertions, {})


async def set_passwords(servers: str, passwords: Mapping[str, str]) -> None:
    """Give users these passwords, for both SCRAM mechanisms; `servers` must trust us."""
    client = AIOKafkaClient(bootstrap_servers=servers)
    await client.bootstrap()
    try:
        for mechanism in _MECHANISMS:
            ask = _Ask(mechanism, passwords)
            answer: Any = await client.send(client.get_random_node(), ask)
            assert all(not each[1] for each in answer.results), answer
    finally:
        await client.close()
