"""Other languages, and a real browser, against `authbus serve`; they run where their tools are."""

from collections.abc import Mapping

import pytest

from tests.e2e.conftest import Serving, serving, settings
from tests.rig import webdriver
from tests.rig.foreign import missing

__all__ = ("serving", "settings")

_NEEDED = {
    "test_browser.py": webdriver.NEEDED,
    "test_contract.py": ("node", "npm", "go", "gofmt"),
    "test_go.py": ("go",),
    "test_java.py": ("java", "javac", "mvn"),
    "test_javascript.py": ("node", "npm"),
    "test_shell.py": ("kcat", "jq", "openssl", "curl"),
}
_ABSENT = {file: tools for file, needed in _NEEDED.items() if (tools := missing(*needed))}
collect_ignore = list(_ABSENT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which were left out."""
    for file, tools in _ABSENT.items():
        terminalreporter.write_line(f"NOT RUN {file}: this machine has no {', '.join(tools)}")


@pytest.fixture
def places(serving: Serving) -> Mapping[str, str]:
    """What an example is told by its environment."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": serving.servers,
        "AUTHBUS_NAMESPACE": serving.namespace,
        "AUTHBUS_TRUST": serving.trust,
        "AUTHBUS_HTTP": serving.http,
        "AUTHBUS_CLIENT": "web",
    }
