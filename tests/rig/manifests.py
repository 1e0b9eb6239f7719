"""What Kubernetes is given, as it stands in `deploy`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every resource of the folder and of those beside it that stand on it, behind its file."""
    for file in sorted(folder.parent.glob("kubernetes*/*.yaml")):
        for each in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            yield file.name, each


def deployment(folder: Path, file: str = "authbus.yaml") -> dict[str, Any]:
    """The one that stands in this file."""
    return next(
        each for at, each in documents(folder) if (at, each["kind"]) == (file, "Deployment")
    )


def pod_of(found: dict[str, Any]) -> dict[str, Any]:
    """What a deployment starts."""
    return found["spec"]["template"]["spec"]


def environment(container: dict[str, Any]) -> dict[str, Any]:
    """The settings of a container, by name."""
    return {each["name"]: each for each in container["env"]}
