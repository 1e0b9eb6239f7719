"""Which errors of a start are told of as a server's that went away."""

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)
from asyncpg.exceptions import InsufficientPrivilegeError
from sqlalchemy.exc import InterfaceError, ProgrammingError

from authbus_service.core.security.masters import MissingMasterError
from authbus_service.startup.errors import StartupError
from authbus_service.startup.outages import outages_told


@pytest.mark.parametrize(
    "error",
    [
        KafkaConnectionError("nobody"),
        KafkaTimeoutError(),
        KafkaError("UnknownError()"),
        ConnectionRefusedError(111, "refused"),
        TimeoutError(),
        InterfaceError("SELECT 1", {}, Exception("connection is closed")),
        ProgrammingError("SELECT 1", {}, InsufficientPrivilegeError("permission denied")),
    ],
    ids=repr,
)
def test_a_server_that_goes_away_is_told_of_with_its_cure(error: Exception) -> None:
    cure = "Is Kafka there, and is PostgreSQL"
    with pytest.raises(StartupError, match=cure) as told, outages_told():
        raise error

    assert told.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        TopicAuthorizationFailedError(),
        FileNotFoundError(2, "no such file", "/etc/authbus/roles.toml"),
        StartupError("the port is taken. Take another one"),
        MissingMasterError("the master key 0f3c is not in the list. Put it there"),
        ValueError("a bug"),
    ],
    ids=repr,
)
def test_what_is_no_outage_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as told, outages_told():
        raise error

    assert told.value is error
