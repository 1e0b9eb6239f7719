"""Ports that are free, and nobody's who does not listen yet."""

from authbus_service.embedded import ports

MANY = 300


def test_a_port_that_is_spoken_for_is_not_given_to_another() -> None:
    spoken_for = ports.free(MANY)

    others = [ports.free(1, besides=spoken_for)[0] for _ in range(MANY)]

    assert not set(others) & set(spoken_for)


def test_as_many_are_given_as_are_asked_for() -> None:
    assert len(set(ports.free(MANY, besides=ports.free(MANY)))) == MANY
