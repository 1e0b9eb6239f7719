"""Which errors of a start are told of as a server's that went away."""

import pytest
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)
from asyncpg.exceptions import InsufficientPrivilegeError
from sqlalchemy.exc import InterfaceError, ProgrammingError

from authbus_service.core.security.masters import MissingMasterError
from authbus_service.startup.errors import StartupError
from authbus_service.startup.outages import outages_told, raise_told


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


@pytest.mark.parametrize(
    "error",
    [
        KafkaTimeoutError(),
        ConnectionRefusedError(111, "refused"),
        InterfaceError("SELECT 1", {}, Exception("secret")),
    ],
    ids=repr,
)
def test_a_server_that_goes_away_in_a_command_is_told_of_by_name_and_how_it_goes_on(
    error: Exception,
) -> None:
    with pytest.raises(StartupError, match="says in its help how it goes on") as told:
        raise_told(error)

    assert type(error).__name__ in str(told.value)
    assert "secret" not in str(told.value)


def caused_by(error: Exception) -> Exception:
    found = KafkaError("Unexpected error during batch delivery")
    found.__cause__ = error
    return found


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TopicAuthorizationFailedError("copies"), r"TopicAuthorizationFailedError \(copies\)"),
        (caused_by(ClusterAuthorizationFailedError()), "ClusterAuthorizationFailedError"),
    ],
    ids=repr,
)
def test_a_right_that_a_command_lacks_is_told_with_who_can_give_it(
    error: Exception, told: str
) -> None:
    with pytest.raises(StartupError, match=f"not let us go on: {told}. Give our name that right"):
        raise_told(error)


@pytest.mark.parametrize(
    "error", [BrokenPipeError(32, "nobody reads"), ValueError("a bug"), KeyError("a bug")], ids=repr
)
def test_nobody_who_reads_and_a_bug_are_no_servers_fault(error: Exception) -> None:
    raise_told(error)
