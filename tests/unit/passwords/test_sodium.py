"""libsodium's memory is mapped once a thread and zero between hashes, or all stays as it was."""

import ctypes
import mmap
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Barrier

import psutil
import pytest

from authbus_service.core.security.argon2id import Cost, OneLane, Reference
from authbus_service.core.security.passwords import Hasher
from authbus_service.core.security.sodium import imports, kept
from authbus_service.core.security.sodium import library as sodium
from authbus_service.core.security.sodium.library import load, tag

pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and sys.maxsize > 2**32), reason="64-bit Linux alone keeps memory"
)
KIB = 8 * 1024
SALT = bytes(range(16))


@pytest.fixture(autouse=True)
def _none_kept() -> Iterator[None]:
    before = set(kept.sizes)
    kept.sizes.clear()
    yield
    kept.sizes.clear()
    kept.sizes.update(before)


def hashed(memory_kib: int = KIB, password: bytes = b"right") -> bytes:
    return tag(password, SALT, memory_kib, 1, 32)


def faults_of_a_hash(memory_kib: int) -> int:
    hashed(memory_kib)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    hashed(memory_kib)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def flags_at(address: int) -> list[str]:
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if "-" in first:
            low, _, high = first.partition("-")
            inside = int(low, 16) <= address < int(high, 16)
        elif first == "VmFlags:" and inside:
            return rest
    return []


def test_a_hash_of_the_size_that_is_kept_takes_no_new_page() -> None:
    assert load(KIB).name == "libsodium, memory kept"

    assert faults_of_a_hash(KIB) < 10


def test_hashes_of_other_sizes_take_and_give_back_theirs() -> None:
    load(KIB)
    hashed()
    mine = kept.area.begin

    assert faults_of_a_hash(2 * KIB) >= 1
    assert (kept.area.begin, kept.area.size) == (mine, KIB * 1024)


def test_the_engine_chosen_at_start_keeps_the_memory_of_its_cost() -> None:
    hasher = Hasher(Cost(KIB, 1))

    assert kept.sizes == {KIB * 1024}
    assert hasher.engine in {"libsodium, memory kept", "argon2-cffi"}


def test_kept_memory_is_zero_between_hashes() -> None:
    load(KIB)

    hashed(password=b"a secret")

    assert ctypes.string_at(kept.area.begin, kept.area.size) == bytes(KIB * 1024)


def test_kept_memory_is_in_no_core_dump() -> None:
    load(KIB)
    hashed()

    assert "dd" in flags_at(kept.area.begin)


def test_threads_that_hash_at_once_make_the_same_tags_as_argon2_cffi() -> None:
    load(KIB)
    together, passwords = Barrier(4), [str(n).encode() for n in range(4)]
    reference = Reference(Cost(KIB, 1))

    def five_times(password: bytes) -> set[str]:
        together.wait(10)
        engine = OneLane("libsodium", tag, Cost(KIB, 1), reference)
        return {engine.hash(password, SALT) for _ in range(5)}

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(five_times, passwords))

    assert made == [{reference.hash(each, SALT)} for each in passwords]


def test_a_threads_memory_goes_with_the_thread() -> None:
    many, process = 64 * 1024, psutil.Process()
    load(many)
    before = process.memory_info().rss

    for _ in range(3):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(hashed, [many] * 8))

    assert process.memory_info().rss - before < many * 1024


def test_a_cost_that_is_no_multiple_of_four_is_kept_too() -> None:
    assert load(KIB + 3).name == "libsodium, memory kept"

    assert faults_of_a_hash(KIB + 3) < 10


def test_little_memory_is_not_kept() -> None:
    assert load(64).name == "libsodium"


def test_memory_is_not_kept_where_tags_come_out_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = iter([b"one", b"one", b"another"])

    def next_tag(_: int) -> bytes:
        return next(tags)

    monkeypatch.setattr(sodium, "known_tag", next_tag)

    assert load(KIB).name == "libsodium"
    assert kept.sizes == set()


def test_a_library_that_is_no_file_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def built_in(name: str) -> ModuleSpec:
        return ModuleSpec(name, None)

    monkeypatch.setattr(sodium, "find_spec", built_in)

    assert load(KIB).name == "libsodium"


def test_on_another_processor_it_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    assert load(KIB).name == "libsodium"


def test_what_the_linker_made_read_only_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only = tmp_path / "maps"
    read_only.write_text(Path("/proc/self/maps").read_text().replace(" rw", " r-"))
    monkeypatch.setattr(imports, "_MAPS", read_only)

    assert load(KIB).name == "libsodium"


def test_memory_that_cannot_be_had_is_an_error_and_the_next_hash_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(KIB)
    right = hashed()

    def none(*_: object) -> None:
        raise OSError("no memory")

    monkeypatch.setattr(mmap, "mmap", none)
    kept.sizes.add(2 * KIB * 1024)
    with pytest.raises(RuntimeError):
        hashed(2 * KIB)
    monkeypatch.undo()

    assert hashed() == right
