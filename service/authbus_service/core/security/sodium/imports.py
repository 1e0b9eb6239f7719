"""Where a loaded library keeps the addresses of the functions that it calls (System V ABI, ELF)."""

import ctypes
import platform
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_RTLD_DI_LINKMAP = 2
_DT_PLTRELSZ, _DT_STRTAB, _DT_SYMTAB, _DT_JMPREL = 2, 5, 6, 23
_JUMP_SLOT = {"x86_64": 7, "aarch64": 1026}
_DYNAMIC, _RELOCATION = struct.Struct("=qQ"), struct.Struct("=QQq")
_SYMBOL_BYTES = 24
_MAPS = Path("/proc/self/maps")


class _LinkMap(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("dynamic", ctypes.c_size_t),
    )


def slots(path: str) -> dict[str, int]:
    """The addresses of the slots of a library that is loaded, by the name of the function.

    Only those that may be written; none where this is no 64-bit Linux on x86-64 or ARM.
    """
    kind = _JUMP_SLOT.get(platform.machine())
    if sys.platform != "linux" or kind is None:
        return {}
    link = ctypes.POINTER(_LinkMap)()
    handle = ctypes.c_void_p(ctypes.CDLL(path)._handle)  # noqa: SLF001
    if ctypes.CDLL(None).dlinfo(handle, _RTLD_DI_LINKMAP, ctypes.byref(link)) != 0:
        return {}
    found = link.contents
    writable = list(_writable())
    return {
        name: slot
        for name, slot in _calls(found.base, dict(_entries(found.dynamic)), kind)
        if any(slot in each for each in writable)
    }


def _entries(address: int) -> Iterator[tuple[int, int]]:
    while True:
        tag, value = _DYNAMIC.unpack(ctypes.string_at(address, _DYNAMIC.size))
        if tag == 0:
            return
        yield tag, value
        address += _DYNAMIC.size


def _calls(base: int, entries: dict[int, int], kind: int) -> Iterator[tuple[str, int]]:
    def at(tag: int) -> int:  # glibc writes addresses there, musl leaves offsets
        return entries[tag] if entries[tag] >= base else base + entries[tag]

    if not {_DT_PLTRELSZ, _DT_STRTAB, _DT_SYMTAB, _DT_JMPREL} <= entries.keys():
        return
    table = ctypes.string_at(at(_DT_JMPREL), entries[_DT_PLTRELSZ])
    for offset, info, _ in _RELOCATION.iter_unpack(table):
        if info & 0xFFFFFFFF != kind:
            continue
        symbol = at(_DT_SYMTAB) + (info >> 32) * _SYMBOL_BYTES
        name = at(_DT_STRTAB) + ctypes.c_uint32.from_address(symbol).value
        yield ctypes.string_at(name).decode(), base + offset


def _writable() -> Iterator[range]:
    for line in _MAPS.read_text().splitlines():
        where, rights, *_ = line.split()
        if rights.startswith("rw"):
            begin, _, end = where.partition("-")
            yield range(int(begin, 16), int(end, 16))
