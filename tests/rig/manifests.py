"""What Kubernetes is given, as it stands in `deploy`, and what its schemas say of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "contract" / "manifests"
# Of these no schema is kept.
UNCHECKED = {"ObjectStore", "Kustomization"}


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


def faults(document: dict[str, Any]) -> list[str]:
    """Where a resource is not what its schema allows."""
    found = _validator(document["kind"], document["apiVersion"]).iter_errors(document)
    return [f"{each.json_path}: {each.message[:200]}" for each in found]


def _validator(kind: str, version: str) -> Draft202012Validator:
    core = json.loads((SCHEMAS / "kubernetes.json").read_text())
    if kind in core["kinds"]:
        return Draft202012Validator(
            {"$ref": f"#/$defs/{core['kinds'][kind]}", "$defs": core["$defs"]}
        )
    of_its_own = json.loads((SCHEMAS / f"{kind}.{version.rpartition('/')[2]}.json").read_text())
    # `metadata` is the API server's own and is open there.
    return Draft202012Validator(_closed(of_its_own))


def _closed(schema: Any) -> Any:
    """A field that the schema does not name is wrong, as an API server has it in strict mode."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _closed(each) for name, each in schema.items()}
    if "properties" in schema and "x-kubernetes-preserve-unknown-fields" not in schema:
        found.setdefault("additionalProperties", False)
    return found
