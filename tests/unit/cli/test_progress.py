"""A long work in a pipe tells how far it is, and not too often."""

import json
from typing import Any

from authbus_service.cli.progress import lines


def test_a_pipe_gets_a_line_a_second_and_one_at_the_end_with_the_rate() -> None:
    clock, said = [0.0], list[dict[str, Any]]()
    tell = lines(lambda line: said.append(json.loads(line)), lambda: clock[0])

    for done in range(0, 1001, 10):
        clock[0] = done / 400
        tell("events", done, 1000)

    assert said == [
        {"step": "events", "done": 0, "of": 1000, "per_second": 0},
        {"step": "events", "done": 400, "of": 1000, "per_second": 400},
        {"step": "events", "done": 800, "of": 1000, "per_second": 400},
        {"step": "events", "done": 1000, "of": 1000, "per_second": 400},
    ]


def test_steps_are_told_apart_also_where_nobody_knows_how_much_there_is() -> None:
    said: list[dict[str, Any]] = []
    tell = lines(lambda line: said.append(json.loads(line)), lambda: 1.0)

    for step in ("survey", "events", "survey"):
        tell(step, 5, None)

    assert [each["step"] for each in said] == ["survey", "events"]
