"""A record is taken to its end, and every line of the log on its way says whose it is."""

from dataclasses import replace

import pytest

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.finishing import Finishing
from authbus_service.consumers.labels import Labels
from authbus_service.core.logging import get_logger
from authbus_service.core.metrics import Metrics
from authbus_service.core.watch import DONE, Watch
from tests.rig.logs import Lines
from tests.rig.made import an_arrival

ID = "019cade2-123b-7c1a-9d52-6f8e0b4a7d31"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", {"trace_id": TRACE}),
        ("00-\r\n\u202e{}", {}),
        ("", {}),
    ],
)
async def test_every_line_of_a_command_names_its_id_and_its_trace(
    lines: Lines, traceparent: str, trace: dict[str, str]
) -> None:
    headers = [("ce_id", ID.encode()), ("traceparent", traceparent.encode())]
    tries = 0

    async def way(_: Arrival, __: Labels) -> str:
        nonlocal tries
        tries += 1
        get_logger("test").info("handled")
        if tries == 1:
            raise ConnectionResetError
        return DONE

    finishing = Finishing(way, None, Watch(Metrics()), "t")  # pyright: ignore[reportArgumentType]
    await finishing(replace(an_arrival(7), headers=headers))

    found = lines.read_all()
    assert [each["event"] for each in found] == ["handled", "command waits", "handled"]
    assert [each["command_id"] for each in found] == [ID] * 3
    traced = [{name: each[name] for name in each if name == "trace_id"} for each in found]
    assert traced == [trace] * 3
