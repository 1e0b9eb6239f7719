"""The kinds that the stand-in serves: those of our manifests, and pods."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, order=True)
class Kind:
    version: str  # as `apiVersion` has it
    name: str

    @property
    def plural(self) -> str:
        singular = self.name.lower()
        return f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"

    @property
    def root(self) -> str:
        return f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"


POD = Kind("v1", "Pod")
DEPLOYMENT = Kind("apps/v1", "Deployment")


def kind_of(found: Json) -> Kind:
    return Kind(found["apiVersion"], found["kind"])


def discovery(path: str, kinds: Iterable[Kind]) -> Json | None:
    """What an API server says of itself at this path, in the older way; None: nothing."""
    roots = sorted({each.root for each in kinds})
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [_group(each.removeprefix("/apis/")) for each in roots if each != "/api/v1"]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if path == "/openapi/v3":
        return {"paths": {each[1:]: {"serverRelativeURL": f"/openapi/v3{each}"} for each in roots}}
    here = [each for each in sorted(kinds) if each.root == path.removeprefix("/openapi/v3")]
    if not here:
        return None
    return _openapi(here) if path.startswith("/openapi") else _resources(here)


def _group(version: str) -> Json:
    served = {"groupVersion": version, "version": version.rpartition("/")[2]}
    return {"name": version.partition("/")[0], "versions": [served], "preferredVersion": served}


def _resources(kinds: list[Kind]) -> Json:
    found: list[Json] = []
    for each in kinds:
        verbs = ["create", "delete", "get", "list", "patch", "watch"]
        one = {"name": each.plural, "singularName": each.name.lower(), "kind": each.name}
        found.append({**one, "namespaced": True, "verbs": verbs})
        if each == DEPLOYMENT:
            scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
            name = {"name": f"{each.plural}/scale", "singularName": "", "namespaced": True}
            found.append({**name, **scale, "verbs": ["get", "patch", "update"]})
    said = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kinds[0].version}
    return {**said, "resources": found}


def _openapi(kinds: list[Kind]) -> Json:
    """That objects are judged by the server, as kubectl asks before it leaves that to it."""
    parameters = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}]
    paths: Json = {}
    for each in kinds:
        group, _, version = each.version.rpartition("/")
        of = {"group": group, "version": version, "kind": each.name}
        patch = {"parameters": parameters, "x-kubernetes-group-version-kind": of}
        paths[f"{each.root}/namespaces/{{namespace}}/{each.plural}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "stand-in", "version": "1"}, "paths": paths}
