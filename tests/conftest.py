"""What every tier shares."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder with pyproject.toml in it."""
    return Path(__file__).resolve().parents[1]
