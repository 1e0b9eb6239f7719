"""What a command of the operators says of a bug."""

import subprocess
import sys

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
