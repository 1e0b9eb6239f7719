"""Where PgBouncer is found: on the machine, or fetched once from its distribution's archive.

No registry of Python's has it. `apt-get` checks the archive's signature over what it fetches, needs
no root to do so, and takes the version that fits the machine's libraries.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from authbus_service.embedded.locks import Lock
from authbus_service.embedded.settings import cache_folder

_SECONDS = 300
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/usr/local/bin")
_CURE = "install it so that it is on the PATH: apt-get install pgbouncer, or brew install pgbouncer"


class NoPgBouncerError(AssertionError):
    """There is none, and none can be fetched."""


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A program and the folders of the libraries that came with it."""

    program: Path
    libraries: Sequence[Path] = ()

    def environment(self) -> Mapping[str, str]:
        """What it must be started with."""
        return {"LD_LIBRARY_PATH": os.pathsep.join(map(str, self.libraries))}


def pgbouncer() -> PgBouncer:
    """The machine's own, or one from the cache. Raises NoPgBouncerError with the cure."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    if (found := shutil.which("pgbouncer", path=path)) is not None:
        return PgBouncer(Path(found))
    folder = cache_folder() / "pgbouncer"
    lock = Lock(folder.with_suffix(".lock"))
    lock.acquire()
    try:
        if not folder.is_dir():
            _fetch(folder)
    finally:
        lock.release()
    return _in(folder)


def _in(folder: Path) -> PgBouncer:
    libraries = sorted({each.parent for each in folder.rglob("*.so.*")})
    return PgBouncer(folder / "usr" / "sbin" / "pgbouncer", libraries)


def _fetch(folder: Path) -> None:
    for tool in ("apt-get", "apt-cache", "dpkg-deb", "ldd"):
        if shutil.which(tool) is None:
            raise NoPgBouncerError(f"there is no pgbouncer and no {tool} to fetch one; {_CURE}")
    scratch = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    root, packages = scratch / "root", scratch / "packages"
    packages.mkdir(parents=True)
    options = _options(scratch)
    _unpack(["pgbouncer"], packages, root, options)
    if _missing(_in(root)):
        _unpack(_needed(options), packages, root, options)
    if missing := _missing(_in(root)):
        raise NoPgBouncerError(f"pgbouncer lacks {', '.join(missing)}; {_CURE}")
    root.rename(folder)
    shutil.rmtree(scratch)


def _options(scratch: Path) -> list[str]:
    """None where the machine knows its archive, else lists of our own, which need no root."""
    if _run(["apt-cache", "show", "pgbouncer"], check=False).strip():
        return []
    state, cache = scratch / "state", scratch / "cache"
    for each in (state / "lists" / "partial", cache / "archives" / "partial"):
        each.mkdir(parents=True)
    options = [f"-oDir::State={state}", f"-oDir::Cache={cache}"]
    options.append("-oDir::State::status=/var/lib/dpkg/status")
    _run(["apt-get", "-q", *options, "update"])
    return options


def _unpack(names: Sequence[str], packages: Path, root: Path, options: Sequence[str]) -> None:
    _run(["apt-get", "-q", *options, "download", *names], cwd=packages)
    for package in packages.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(root)])
        package.unlink()


def _needed(options: Sequence[str]) -> list[str]:
    """The packages with its libraries that the machine does not have."""
    listed = _run(["apt-cache", *options, "depends", "--important", "pgbouncer"])
    names: list[str] = re.findall(r"Depends: (lib[\w.+-]+)", listed)
    have = _run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], check=False)
    return [each for each in names if f"{each} installed" not in have.splitlines()]


def _missing(found: PgBouncer) -> list[str]:
    told = _run(["ldd", str(found.program)], environment=found.environment())
    return re.findall(r"(\S+) => not found", told)


def _run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    check: bool = True,
    environment: Mapping[str, str] | None = None,
) -> str:
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if check and ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip()).rpartition("\n")[2]
        raise NoPgBouncerError(f"no pgbouncer, and {' '.join(command[:2])}: {last}. {_CURE}")
    return ended.stdout
