"""The compiled argon2id: which of its files this processor can run, and how it is called."""

import ctypes
import platform
import sys
from pathlib import Path

from authbus_service.core.security.library import Library, Tag

FOLDER = Path(__file__).parent
_CPUINFO = Path("/proc/cpuinfo")
_NO_MEMORY = -22

# What the x86-64 psABI asks of each level beyond the one before, as /proc/cpuinfo names it.
_V2 = frozenset({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"})
_V3 = _V2 | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
LEVELS = {"x86-64-v4": _V4, "x86-64-v3": _V3}


def file_of(level: str, folder: Path = FOLDER) -> Path:
    """Where the file for a level of x86-64 is, or would be."""
    return folder / f"argon2id-{level}.so"


def supported() -> list[str]:
    """The levels that this processor runs, best first; none where nothing is compiled for it."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return []
    found = next(
        (line for line in _CPUINFO.read_text().splitlines() if line.startswith("flags")), ""
    )
    flags = frozenset(found.partition(":")[2].split())
    return [level for level, needed in LEVELS.items() if needed <= flags]


def load(folder: Path = FOLDER) -> Library | None:
    """The best file that is there and runs here, or None."""
    for level in supported():
        try:
            loaded = ctypes.CDLL(str(file_of(level, folder)))
        except OSError:
            continue
        return Library(f"libargon2 {level}", _tag(loaded))
    return None


def _tag(loaded: ctypes.CDLL) -> Tag:
    run = loaded.authbus_argon2id  # a call by ctypes frees the GIL
    number, octets = ctypes.c_uint32, ctypes.c_char_p
    run.argtypes = [number, number, octets, number, octets, number, octets, number]
    run.restype = ctypes.c_int

    def tag(password: bytes, salt: bytes, memory_kib: int, passes: int, length: int) -> bytes:
        made = ctypes.create_string_buffer(length)
        code = run(memory_kib, passes, password, len(password), salt, len(salt), made, length)
        if code == _NO_MEMORY:
            raise MemoryError
        if code != 0:
            raise ValueError(f"libargon2 refuses: {code}")
        return made.raw

    return tag
