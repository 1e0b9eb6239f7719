"""What `make release` puts into dist/: both wheels, and a list of all that the image is made of."""

import json
import re
import subprocess
from pathlib import Path

import pytest

_PIN = re.compile(r"^([a-z0-9-]+)==([^ ]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_HASH = re.compile(r"sha256:([0-9a-f]{64})")


def _hashes(component: dict[str, object]) -> set[str]:
    return set(re.findall(r"\"content\": \"([0-9a-f]{64})\"", json.dumps(component)))


# Its tools are fetched at the first time.
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_release_is_two_wheels_and_a_list_of_what_is_locked(
    repository: Path, tmp_path: Path
) -> None:
    subprocess.run(("make", "release", f"DIST={tmp_path}"), cwd=repository, check=True)

    listed = json.loads((tmp_path / "authbus.cdx.json").read_text(encoding="utf-8"))
    found = {(each["name"], each["version"]): _hashes(each) for each in listed["components"]}
    locked = (repository / "deploy/requirements.txt").read_text(encoding="utf-8")
    pins = {(name, version): rest for name, version, rest in _PIN.findall(locked)}
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "authbus-service"
    assert found == {pin: set(_HASH.findall(rest)) for pin, rest in pins.items()}
    assert len(found) > 20
    assert {each.name.partition("-")[0] for each in tmp_path.glob("*.whl")} == {
        "authbus",
        "authbus_service",
    }
