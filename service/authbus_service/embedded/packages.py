"""Find the packages of the extra `embedded` without importing them at start."""

from importlib.util import find_spec
from pathlib import Path

from authbus_service.embedded.errors import MissingPackageError


def folder(package: str) -> Path:
    """Return where a package is installed; raise MissingPackageError when it is not."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError(package)
    return Path(spec.submodule_search_locations[0])
