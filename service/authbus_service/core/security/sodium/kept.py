"""libsodium's memory, kept: each thread maps it once, in huge pages where it may.

libsodium maps its memory anew for each hash and takes none from its caller; in small pages that is
up to half of the hash's time. So the two functions by which it maps and unmaps become ours, which
pass on what has another size. C calls them in the middle of a hash: no exception may leave them.
"""

import ctypes
import mmap
import threading
from contextlib import suppress

from authbus_service.core.security.sodium.imports import slots

_HUGE_PAGE = 2 << 20
_MAP_FAILED = ctypes.c_size_t(-1).value
_INT, _SIZE = ctypes.c_int, ctypes.c_size_t
_MMAP = ctypes.CFUNCTYPE(_SIZE, _SIZE, _SIZE, _INT, _INT, _INT, ctypes.c_long)
_MUNMAP = ctypes.CFUNCTYPE(_INT, _SIZE, _SIZE)

_system = ctypes.CDLL(None)
_map, _unmap = _MMAP(("mmap", _system)), _MUNMAP(("munmap", _system))

sizes: set[int] = set()
"""In bytes, what is kept."""


class _Area(threading.local):
    """A thread's own memory, which goes with it; zero while it does not hash."""

    size = begin = 0
    _mapped: mmap.mmap | None = None

    def map(self, size: int) -> None:
        """In place of what it had; not in a core dump. Raises OSError."""
        self.size, self.begin, self._mapped = 0, 0, None
        mapped = mmap.mmap(-1, size + _HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for advice in (mmap.MADV_HUGEPAGE, mmap.MADV_DONTDUMP):
            with suppress(OSError):  # not every kernel has both
                mapped.madvise(advice)
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        self.size, self.begin = size, -(-address // _HUGE_PAGE) * _HUGE_PAGE
        self._mapped = mapped


area = _Area()


def keep(library: str, size: int) -> bool:
    """Keep the memory of this size that the library at this path maps; False: cannot be done."""
    found = slots(library)
    if size < _HUGE_PAGE or not _OURS.keys() <= found.keys():
        return False
    sizes.add(size)
    for name, ours in _OURS.items():
        address = ctypes.cast(ours, ctypes.c_void_p).value
        ctypes.c_void_p.from_address(found[name]).value = address
    return True


def _take(address: int, size: int, rights: int, flags: int, file: int, offset: int) -> int:
    try:
        if size not in sizes:
            return _map(address, size, rights, flags, file, offset)
        if area.size != size:
            area.map(size)
    except BaseException:  # noqa: BLE001
        return _MAP_FAILED
    return area.begin


def _give_back(address: int, size: int) -> int:
    if address != area.begin:
        return _unmap(address, size)
    ctypes.memset(address, 0, size)
    return 0


_OURS = {"mmap": _MMAP(_take), "munmap": _MUNMAP(_give_back)}
