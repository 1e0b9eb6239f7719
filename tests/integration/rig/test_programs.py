"""A program that is a fork is to its caller what `python -m` is."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.rig import programs

KEPT = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
SHOWS = """
import gc, json, os, signal, sys, threading

mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
handlers = [str(signal.getsignal(each)) for each in sorted(signal.valid_signals())]
state = [sorted(os.environ), os.getcwd(), sys.argv, sys.path[0], __name__, sorted(mask), handlers,
         gc.isenabled(), threading.active_count(), sorted(os.listdir("/dev/fd")), sys.stdin.read(),
         [each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)]]
print(json.dumps(state, indent=1))
"""
ASKS = """
import asyncio, sys, time
from pathlib import Path
from tests.rig import programs

async def ask():
    started = await programs.start(environment={}, folder=Path(sys.argv[1]), module="waits")
    print(started.pid, (await started.stdout.readline()).decode(), flush=True)
    time.sleep(60)

asyncio.run(ask())
"""
WAITS = """
import time

print("waits", flush=True)
time.sleep(60)
"""


async def both(
    module: str, *arguments: str, folder: Path, given: str = ""
) -> list[tuple[int | None, bytes, bytes]]:
    """Status, output and errors: of a fork, and of the interpreter itself."""
    environment = {**KEPT, "COLUMNS": "60", "LANG": "C.UTF-8"}
    fork = await programs.start(
        *arguments, environment=environment, folder=folder, given=given, module=module
    )
    said = await asyncio.wait_for(fork.communicate(), 30)
    real = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
    )
    expected = await asyncio.wait_for(real.communicate(given.encode()), 30)
    return [(fork.returncode, *said), (real.returncode, *expected)]


async def test_wrong_usage_is_told_as_the_interpreters_own_program_tells_it(
    tmp_path: Path,
) -> None:
    fork, real = await both("authbus_service", "nonsense", folder=tmp_path)

    assert fork == real
    assert fork[0] == 2


async def test_it_has_what_it_is_given_and_nothing_of_who_forked_it(tmp_path: Path) -> None:
    (tmp_path / "shows.py").write_text(SHOWS)

    fork, real = await both("shows", "one", "two", folder=tmp_path, given="input")

    assert fork[1].decode() == real[1].decode()
    assert fork == real


@pytest.mark.parametrize(
    "end",
    [
        "pass",
        "sys.exit(3)",
        "sys.exit('no')",
        "os._exit(4)",
        "os.abort()",
        "os.kill(os.getpid(), 9)",
    ],
)
async def test_it_ends_as_the_interpreters_own_program_ends(tmp_path: Path, end: str) -> None:
    (tmp_path / "ends.py").write_text(f"import os, sys\nprint('said', flush=True)\n{end}\n")

    fork, real = await both("ends", folder=tmp_path)

    assert fork == real


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_a_signal_ends_it_and_is_its_status(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    program = await programs.start(environment={}, folder=tmp_path, module="waits")
    said = await program.stdout.readline()
    before = program.returncode

    program.send_signal(number)

    assert await asyncio.wait_for(program.wait(), 30) == -number
    assert (said, before) == (b"waits\n", None)
    assert not psutil.pid_exists(program.pid)


async def test_nothing_is_left_when_who_asked_is_killed(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    asker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASKS, str(tmp_path)),
        cwd=repository,
        stdout=subprocess.PIPE,
    )
    assert asker.stdout is not None
    pid, said = (await asyncio.wait_for(asker.stdout.readline(), 60)).split()
    program = psutil.Process(int(pid))
    forks = program.parent()
    assert forks is not None

    asker.kill()
    await asker.wait()

    gone, _ = await asyncio.to_thread(psutil.wait_procs, [program, forks], 10)
    assert (said, len(gone)) == (b"waits", 2)


async def test_of_programs_that_end_at_once_the_end_of_each_is_told(tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("import os, sys; os._exit(int(sys.argv[1]))")

    for _ in range(5):
        started = await asyncio.gather(
            *(
                programs.start(str(number), environment=KEPT, folder=tmp_path, module="ends")
                for number in range(20)
            )
        )
        ends = await asyncio.gather(*(each.wait() for each in started))

        assert ends == list(range(20))
