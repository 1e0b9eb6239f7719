"""Ports that are free, and nobody's who does not listen yet."""

import socket

import pytest

from authbus_service.embedded import PortTakenError, ports

MANY = 300
LOWEST = 32_768  # of net.ipv4.ip_local_port_range, as Linux comes


def test_a_port_that_is_spoken_for_is_not_given_to_another() -> None:
    spoken_for = ports.free(MANY)

    others = [ports.free(1, besides=spoken_for)[0] for _ in range(MANY)]

    assert not set(others) & set(spoken_for)


def test_as_many_are_given_as_are_asked_for() -> None:
    assert len(set(ports.free(MANY, besides=ports.free(MANY)))) == MANY


def test_no_connection_that_goes_out_can_take_one_of_them_by_chance() -> None:
    assert all(port < LOWEST for port in ports.free(MANY))


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(PortTakenError, match="cannot be used"),
    ):
        ports.check_free(taken.getsockname()[1])
