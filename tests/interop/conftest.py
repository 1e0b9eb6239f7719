"""Other languages, a real browser and others' tools; they run where those are."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from authbus_service.embedded import Addresses
from tests.e2e.conftest import Serving, serving
from tests.rig import webdriver
from tests.rig.foreign import KUSTOMIZE, missing
from tests.rig.serving import settings_of

__all__ = ("serving",)

_NEEDED = {
    "test_browser.py": webdriver.NEEDED,
    "test_compose.py": ("docker-compose",),
    "test_contract.py": ("node", "npm", "go", "gofmt"),
    "test_go.py": ("go",),
    "test_java.py": ("java", "javac", "mvn"),
    "test_javascript.py": ("node", "npm"),
    "test_kubectl.py": ("go",),
    "test_kustomize.py": KUSTOMIZE[:1],
    "test_prometheus.py": ("promtool",),
    "test_shell.py": ("kcat", "jq", "openssl", "curl"),
}
_ABSENT = {file: tools for file, needed in _NEEDED.items() if (tools := missing(*needed))}
collect_ignore = list(_ABSENT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which were left out."""
    for file, tools in _ABSENT.items():
        terminalreporter.write_line(f"NOT RUN {file}: this machine has no {', '.join(tools)}")


@pytest.fixture
def settings(
    addresses: Addresses, namespace: str, database_url: str, tmp_path: Path
) -> Mapping[str, str]:
    """Those of a service that looks for new keys each second."""
    usual = settings_of(addresses, namespace, database_url, tmp_path)
    return {**usual, "AUTHBUS_KEYS_RELOAD_SECONDS": "1"}


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
