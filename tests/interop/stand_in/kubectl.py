"""kubectl, built of Kubernetes' own modules, and what it is told of a stand-in."""

import asyncio
import json
import os
import pty
import re
import shlex
import termios
from collections.abc import Mapping
from pathlib import Path

from tests.rig import foreign
from tests.rig.terminals import all_of

SOURCE = Path(__file__).parents[1] / "kubectl"
_CACHE = foreign.CACHE / "kubectl"
_PROGRAM = _CACHE / "kubectl"
_MODULES = Path(foreign.GO["GOMODCACHE"])
_MOST_SECONDS = 60


async def built() -> Path:
    """The program, with the versions and hashes of go.sum."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    how = "-ldflags=-s -w", "-o", str(_PROGRAM)
    await foreign.built_by_go("build", *how, ".", folder=SOURCE)
    return _PROGRAM


def dictionary() -> bytes:
    """That with which SPDY's headers are compressed, from the source that kubectl has it of."""
    required = (SOURCE / "go.mod").read_text(encoding="utf-8")
    (version,) = re.findall(r"github\.com/moby/spdystream (v\S+)", required)
    file = _MODULES / f"github.com/moby/spdystream@{version}" / "spdy" / "dictionary.go"
    source = file.read_text(encoding="utf-8").partition("{")[2]
    return bytes(int(each, 16) for each in re.findall(r"0x[0-9a-f]{2}", source))


def environment(port: int, folder: Path) -> Mapping[str, str]:
    """By which it asks the stand-in, in the namespace `default` where it is told no other."""
    cluster = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "here", "context": {"cluster": "here", "user": "nobody"}}
    user = {"name": "nobody", "user": {}}
    said = {"apiVersion": "v1", "kind": "Config", "current-context": "here"}
    config = {**said, "clusters": [cluster], "contexts": [context], "users": [user]}
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), encoding="utf-8")
    return {"KUBECONFIG": str(file), "HOME": str(folder), "KUBERC": "off", "TERM": "xterm"}


async def at_a_terminal(command: str, settings: Mapping[str, str]) -> tuple[int, str]:
    """Its status, and what the terminal was shown."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 100))
    child = await asyncio.create_subprocess_exec(
        *words(command),
        cwd=foreign.REPOSITORY,
        env={**os.environ, **settings},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    # With it the terminal ends too, and the thread that reads there.
    stopping = asyncio.get_running_loop().call_later(_MOST_SECONDS, child.terminate)
    shown = await asyncio.to_thread(all_of, ours)
    stopping.cancel()
    return await child.wait(), shown


def words(command: str) -> list[str]:
    """The command with the program that was built."""
    name, *rest = shlex.split(command)
    assert name == "kubectl"
    return [str(_PROGRAM), *rest]
