"""A Kafka that is silent is told of once, and so is one that answers again."""

from authbus_service.watching.silence import SECONDS, Silence


class Looking:
    """A watch that looks at these seconds when Kafka has answered last."""

    def __init__(self) -> None:
        self.now, self.told = 0.0, list[bool]()
        self.silence = Silence(self.told.append, lambda: self.now)

    def look(self, at: float, answered: int | None) -> list[bool]:
        self.now = at
        self.silence.note(answered)
        return self.told


def test_a_silence_is_told_once_and_its_end_once_and_the_next_one_again() -> None:
    watch = Looking()

    assert watch.look(0, 1) == watch.look(9.9, 2) == watch.look(19, 2) == []
    assert watch.look(9.9 + SECONDS, 2) == watch.look(100, 2) == [True]
    assert watch.look(101, 3) == watch.look(102, 4) == [True, False]
    assert watch.look(102 + SECONDS, 4) == [True, False, True]


def test_a_kafka_that_never_answered_is_silent_too() -> None:
    watch = Looking()

    assert watch.look(0, None) == []
    assert watch.look(SECONDS, None) == [True]


def test_a_terminal_that_stood_still_is_no_silence_and_ends_none() -> None:
    watch = Looking()
    watch.look(0, 1)

    watch.silence.away()
    assert watch.look(50, 1) == []
    assert watch.look(50 + SECONDS, 1) == [True]
    watch.silence.away()
    assert watch.look(90, 1) == [True]
    assert watch.look(91, 2) == [True, False]
