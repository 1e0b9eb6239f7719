"""The bare wheel imports with pydantic alone; what needs more says what."""

import subprocess
import sys

import pytest

import authbus

BLOCKED = """
import sys
for name in ("aiokafka", "joserfc", "cryptography", "cramjam", "nacl"):
    sys.modules[name] = None
import authbus
from authbus import AuthRejected, LogIn, UserCreated
try:
    authbus.{name}
except ImportError as error:
    print(error)
"""

BY_HAND = """
import runpy, sys
for name in ("aiokafka", "joserfc", "cryptography", "cramjam", "nacl"):
    sys.modules[name] = None
sys.argv = ["authbus", "{name}", "--reply-key", "key"]
if "{name}" == "seal":
    sys.argv += ["--client", "web", "--keys", "keys"]
runpy.run_module("authbus", run_name="__main__")
"""


@pytest.mark.parametrize("name", ["AuthClient", "EventStream", "Verifier", "Claims"])
def test_a_name_that_needs_the_extra_says_so_where_it_is_not_installed(name: str) -> None:
    code = BLOCKED.format(name=name)

    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True, timeout=30
    )

    assert done.stdout.startswith(f"{name} needs ")
    assert "install authbus with its extra `client`" in done.stdout


@pytest.mark.parametrize("name", ["seal", "open"])
def test_a_command_that_needs_the_extra_says_so_in_one_line(name: str) -> None:
    code = BY_HAND.format(name=name)

    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=False, timeout=30
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("authbus: ")
    assert done.stderr.endswith("install authbus with its extra `client`\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", authbus.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(authbus, name).__name__ == name
    assert name in dir(authbus)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = authbus.Nothing
