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


@pytest.mark.parametrize("name", ["AuthClient", "EventStream", "Verifier", "Claims"])
def test_a_name_that_needs_the_extra_says_so_where_it_is_not_installed(name: str) -> None:
    code = BLOCKED.format(name=name)

    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True, timeout=30
    )

    assert done.stdout.startswith(f"{name} needs ")
    assert "install authbus with its extra `client`" in done.stdout


@pytest.mark.parametrize("name", authbus.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(authbus, name).__name__ == name
    assert name in dir(authbus)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = authbus.Nothing
