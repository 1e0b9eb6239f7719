"""What a command of the operators says of a bug."""

import subprocess
import sys

import pytest
from aiokafka.errors import KafkaTimeoutError

from authbus import AuthTimeout
from authbus_service.cli.errors import explain
from authbus_service.cli.running import run_quietly
from authbus_service.core.ids import new_id

CALL = """
from authbus_service.cli.running import run_quietly

async def work():
    raise LookupError("canary-7d1e")

run_quietly(work())
"""


def test_a_bug_is_not_passed_over_in_silence_nor_is_its_text_told() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CALL], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "LookupError" in ended.stderr
    assert "canary" not in ended.stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KafkaTimeoutError(), "authbus doctor tells which"),
        (AuthTimeout(new_id()), str(AuthTimeout(new_id()))[:10]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_a_person_can_mend_ends_a_command_with_a_line(error: Exception, told: str) -> None:
    async def work() -> None:
        raise error

    with pytest.raises(Exception) as ended:  # noqa: PT011 - which one is of no matter
        run_quietly(work())

    assert told in (explain(ended.value) or "")
