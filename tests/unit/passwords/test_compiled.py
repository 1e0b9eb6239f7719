"""The compiled hash agrees with argon2-cffi, keeps to what the processor runs, and is opt-in."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from authbus_service.core.security import argon2id
from authbus_service.core.security.argon2id import Cost, OneLane, Reference
from authbus_service.core.security.compiled import build as building
from authbus_service.core.security.compiled import library
from authbus_service.core.security.compiled.build import BuildError, build
from authbus_service.core.security.compiled.library import load
from authbus_service.core.security.library import Library
from authbus_service.core.security.passwords import Hasher

V3 = (
    "flags : cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"
    " abm avx avx2 bmi1 bmi2 f16c fma movbe xsave"
)
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("flags", "levels"),
    [
        (V4, ["x86-64-v4", "x86-64-v3"]),
        (V3, ["x86-64-v3"]),
        (V3.replace("avx2", ""), []),
        (V4.replace("bmi2", ""), []),
        ("", []),
    ],
)
def test_only_what_the_processor_runs_is_loaded(
    flags: str, levels: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\n{flags}\n")
    monkeypatch.setattr(library, "_CPUINFO", cpuinfo)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")

    assert library.supported() == levels


def test_nothing_compiled_is_no_engine(tmp_path: Path) -> None:
    assert load(tmp_path) is None


def test_a_file_that_cannot_be_loaded_is_no_engine(tmp_path: Path) -> None:
    for level in library.LEVELS:
        library.file_of(level, tmp_path).write_bytes(b"not a library")

    assert load(tmp_path) is None


def test_a_compiled_hash_that_disagrees_is_not_used() -> None:
    def other(password: bytes, salt: bytes, memory_kib: int, passes: int, length: int) -> bytes:
        return bytes(length)

    hasher = Hasher(Cost(64, 2), Library("wrong", other))

    assert hasher.engine != "wrong"
    assert hasher.verify(argon2id.KNOWN, argon2id.KNOWN_PASSWORD.decode()).ok


def test_a_machine_without_a_compiler_is_told_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: str) -> None:
        return None

    monkeypatch.setattr(shutil, "which", none)
    monkeypatch.setattr(building, "supported", lambda: ["x86-64-v3"])

    with pytest.raises(BuildError, match="C compiler"):
        build(tmp_path)

    assert not list(tmp_path.iterdir())


@pytest.fixture
def _no_other_tool(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A C compiler and what it calls are all there is, as in the image's first stage."""
    tools = tmp_path_factory.mktemp("tools")
    for name in ("cc", "as", "ld"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))


@pytest.mark.interop
@pytest.mark.usefixtures("_no_other_tool")
def test_what_is_compiled_here_makes_the_same_hashes_from_many_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be compiled, the reason is told and the wheels are used."""
    if not library.supported() or shutil.which("cc") is None:
        with pytest.raises(BuildError):
            build(tmp_path)
        return
    # The others are compiled in the same way, and nobody loads them here.
    monkeypatch.setattr(building, "LEVELS", library.supported()[:1])
    build(tmp_path)
    found = load(tmp_path)
    assert found is not None

    with ThreadPoolExecutor(4) as threads:
        for cost in (Cost(8, 1), Cost(64, 3), Cost(19456, 2), Cost(47104, 1), Cost(8, 1)):
            reference = Reference(cost)
            engine = OneLane(found.name, found.tag, cost, reference)
            salts = [bytes([number]) * 16 for number in range(8)]
            ours = list(threads.map(engine.hash, [b"right"] * len(salts), salts))
            assert ours == [reference.hash(b"right", salt) for salt in salts]
            assert all(engine.matches(each, b"right") for each in ours)
            assert not any(engine.matches(each, b"wrong") for each in ours)

    assert argon2id.agree(Reference(Cost(64, 2)), OneLane("x", found.tag, Cost(64, 2), reference))
    with pytest.raises(ValueError, match="libargon2 refuses"):
        found.tag(b"right", b"short", 64, 2, 32)
    # The quicker one is chosen by its time, which another program on the machine may spoil.
    assert any(Hasher(Cost(19456, 2), found).engine == found.name for _ in range(5))
