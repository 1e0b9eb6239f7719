"""What the examples are built with is pinned, and no file says where it comes from."""

import json
import re
from pathlib import Path

import pytest

from tests.rig.foreign import EXAMPLES

pytestmark = pytest.mark.interop

EXACT = re.compile(r"\d+(\.\d+)+")


@pytest.mark.parametrize("folder", [EXAMPLES / "javascript", Path(__file__).parent / "npm"])
def test_every_package_of_javascript_has_an_exact_version_a_hash_and_no_address(
    folder: Path,
) -> None:
    asked = json.loads((folder / "package.json").read_text())["dependencies"]
    locked = json.loads((folder / "npm-shrinkwrap.json").read_text())["packages"]
    packages = {name: one for name, one in locked.items() if name}

    assert all(EXACT.fullmatch(version) for version in asked.values())
    assert {f"node_modules/{name}" for name in asked} <= packages.keys()
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert not any("resolved" in one for one in packages.values())


def test_every_package_of_java_has_an_exact_version_and_every_jar_a_hash() -> None:
    pom = (EXAMPLES / "java" / "pom.xml").read_text()
    named = re.findall(r"<artifactId>([^<]+)</artifactId>\s*<version>([^<]+)</version>", pom)
    jars = (EXAMPLES / "java" / "jars.sha256").read_text().splitlines()
    asked = re.findall(r"<artifactId>([^<]+)", pom.partition("<dependencies>")[2])

    assert {name for name, _ in named} >= set(asked)
    assert all(EXACT.fullmatch(version) for name, version in named if name in asked)
    assert all(re.fullmatch(r"[0-9a-f]{64}  \S+\.jar", line) for line in jars)


@pytest.mark.parametrize("folder", [EXAMPLES / "go", Path(__file__).parent / "kubectl"])
def test_every_module_of_go_has_a_hash(folder: Path) -> None:
    required = re.findall(r"^\t(\S+ v\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
    sums = (folder / "go.sum").read_text()

    assert len(required) > 6
    assert [one for one in required if f"{one} h1:" not in sums] == []
