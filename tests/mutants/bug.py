"""A bug: one text of the code in place of another, and the tests that must not pass with it.

A file stands for its quick tests; one that is named by itself is run also when it is a slow one.
"""

from dataclasses import dataclass
from pathlib import Path

_SERVICE, _SCHEMAS = "service/authbus_service", "schemas/authbus"
CONSUMERS, RELAY = "tests/integration/consumers", "tests/integration/relay"
UNIT, ENTRY = "tests/unit", "tests/entry"
MODEL, REPLAY = "tests/model", "tests/integration/replay"


@dataclass(frozen=True, slots=True)
class Bug:
    """`path` is within the repository; `right` is there once."""

    name: str
    path: str
    right: str
    wrong: str
    tests: tuple[str, ...]

    def put_into(self, repository: Path) -> None:
        """Write it. Raises ValueError when the code is not what it was."""
        file = repository / self.path
        source = file.read_text(encoding="utf-8")
        if source.count(self.right) != 1:
            msg = f"{self.name}: {self.path} does not hold it once: {self.right!r}"
            raise ValueError(msg)
        file.write_text(source.replace(self.right, self.wrong), encoding="utf-8")


def service(name: str, path: str, right: str, wrong: str, *tests: str) -> Bug:
    """A bug of the service."""
    return Bug(name, f"{_SERVICE}/{path}", right, wrong, tests)


def contract(name: str, path: str, right: str, wrong: str, *tests: str) -> Bug:
    """A bug of the contract or of the client."""
    return Bug(name, f"{_SCHEMAS}/{path}", right, wrong, tests)
