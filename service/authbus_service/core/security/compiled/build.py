"""Compiles argon2id: libargon2's source from the pinned source distribution of its bindings."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from authbus_service.core.security.compiled.library import FOLDER, LEVELS, file_of, supported

_NAME = "argon2-cffi-bindings"
SOURCE = f"{_NAME}==26.2.0"
SHA256 = "f21ab89bb9850f32b9ca038d9961424bb0d3669d579cbbbfed068cffa6fc0643"
_FILES = ("argon2.c", "core.c", "encoding.c", "opt.c", "blake2/blake2b.c")
_FLAGS = ("-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-DARGON2_NO_THREADS", "-pthread")
_SECONDS = 300


class BuildError(RuntimeError):
    """The hash cannot be compiled here; the text says why and what to do."""


def build(folder: Path = FOLDER) -> list[Path]:
    """Compile for every level that has a processor, and return the files.

    Raises BuildError and leaves what was there before.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not supported():
        raise BuildError(
            "the hash is compiled for Linux on x86-64-v3 or newer alone. "
            "Leave AUTHBUS_HASH as it is"
        )
    if compiler is None:
        raise BuildError(
            "a C compiler is needed. On Debian and Ubuntu: apt-get install gcc libc6-dev"
        )
    with TemporaryDirectory(prefix="authbus-argon2id-") as scratch:
        source = _fetched(Path(scratch))
        made = [_compiled(compiler, level, source, Path(scratch)) for level in LEVELS]
        try:
            return [Path(shutil.copy(each, folder / each.name)) for each in made]
        except OSError as error:
            raise BuildError(
                f"{folder} cannot be written: {error.strerror}. Run it as who installed authbus"
            ) from None


def _fetched(scratch: Path) -> Path:
    """libargon2's folder, out of the source distribution, whose digest is checked by pip."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{SOURCE} --hash=sha256:{SHA256}\n")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
    # `:all:` would ask for the sources of cmake and ninja too, with which its own is prepared.
    only = ("--no-deps", "--no-binary", _NAME, "--require-hashes", "-r", str(wanted))
    _run(*pip, *only, "-d", str(scratch), told=f"the source of {_NAME}")
    archive = next(scratch.glob("*.tar.gz"))
    with tarfile.open(archive) as opened:
        opened.extractall(scratch / "source", filter="data")
    return next((scratch / "source").glob("*/extras/libargon2"))


def _compiled(compiler: str, level: str, source: Path, scratch: Path) -> Path:
    made = file_of(level, scratch)
    files = [str(FOLDER / "kept.c"), *(str(source / "src" / each) for each in _FILES)]
    include = [f"-I{source / 'include'}", f"-I{source / 'src'}"]
    _run(compiler, *_FLAGS, f"-march={level}", *include, "-o", str(made), *files, told=level)
    return made


def _run(*command: str, told: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BuildError(f"{told} cannot be had: {last}. Mend that, then run it again") from None
    except subprocess.TimeoutExpired:
        raise BuildError(f"{told} cannot be had within {_SECONDS} seconds. Run it again") from None
