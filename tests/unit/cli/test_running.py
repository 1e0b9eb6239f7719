"""What a command of the operators says of what ends it, in a process of its own as ever."""

import subprocess
import sys

import pytest

CALL = """
from aiokafka.errors import KafkaTimeoutError
from authbus import AuthTimeout
from authbus_service.cli.errors import explain
from authbus_service.cli.running import run_quietly
from authbus_service.core.ids import new_id

async def work():
    raise {error}

try:
    run_quietly(work())
except Exception as error:
    if explain(error) is None:
        raise
    print(explain(error))
"""


def ended_by(error: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALL.format(error=error)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bug_is_not_passed_over_in_silence_nor_is_its_text_told() -> None:
    ended = ended_by('LookupError("canary-7d1e")')

    assert ended.returncode == 1
    assert "LookupError" in ended.stderr
    assert "canary" not in ended.stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("KafkaTimeoutError()", "authbus doctor tells which"),
        ("AuthTimeout(new_id())", "no answer"),
    ],
)
def test_what_a_person_can_mend_ends_a_command_with_a_line(error: str, told: str) -> None:
    ended = ended_by(error)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert told in ended.stdout
