"""The objects of a cluster, and what may be done to them."""

import json
from collections.abc import Collection, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from threading import RLock
from time import monotonic
from typing import Any
from uuid import uuid4

from tests.interop.stand_in import made
from tests.interop.stand_in.kinds import DEPLOYMENT, POD, Json, Kind, kind_of
from tests.rig.manifests import UNCHECKED, faults

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"


class Refused(Exception):
    """Answered as a Status with this code and reason."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }


@dataclass(frozen=True)
class Place:
    """One object, or with an empty name all of a kind in a namespace."""

    kind: Kind
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        return f'{self.kind.plural} "{self.name}" in {self.namespace}'


@dataclass
class Objects:
    kinds: Collection[Kind]
    # Those that are there already.
    given: Iterable[Json] = ()
    _kept: dict[Place, Json] = field(default_factory=dict)
    _since: dict[Place, float] = field(default_factory=dict)
    _count: int = 1
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        for each in self.given:
            self.create(Place(kind_of(each), each["metadata"]["namespace"]), deepcopy(each))

    def namespaces(self) -> set[str]:
        """Those in which there is something."""
        with self._lock:
            return {each.namespace for each in self._kept}

    def all(self, kind: Kind, namespace: str) -> list[Json]:
        with self._lock:
            if kind == POD:
                found: Iterator[Json] = made.pods(self._kept.values())
            else:
                found = (self._seen(at) for at in self._kept if at.kind == kind)
            return [each for each in found if each["metadata"]["namespace"] == namespace]

    def kept(self) -> list[Json]:
        return deepcopy([*self._kept.values()])

    def get(self, at: Place) -> Json:
        for each in self.all(at.kind, at.namespace):
            if each["metadata"]["name"] == at.name:
                return each
        raise Refused(404, "NotFound", f"{at} not found")

    def create(self, at: Place, found: Json) -> Json:
        with self._lock:
            at = Place(at.kind, at.namespace, found["metadata"]["name"])
            if at in self._kept:
                raise Refused(409, "AlreadyExists", f"{at} already exists")
            found["metadata"]["uid"] = str(uuid4())
            if at.kind == DEPLOYMENT:
                found["spec"].setdefault("replicas", 1)  # what an API server makes of none
            self._since[at] = monotonic()
            return self._keep(at, found)

    def patch(self, at: Place, patch: Json, of: str) -> Json:
        if of == STRATEGIC and _has_more(patch):
            raise Refused(422, "Invalid", f"the stand-in merges no lists: {json.dumps(patch)}")
        if of not in {STRATEGIC, MERGE}:
            raise Refused(415, "UnsupportedMediaType", f"the stand-in does not patch by {of}")
        with self._lock:
            found = merged(self.get(at), patch)
            found.pop("status", None)
            return self._keep(at, found)

    def delete(self, at: Place) -> Json:
        with self._lock:
            self.get(at)
            del self._since[at]
            return self._kept.pop(at)

    def _keep(self, at: Place, found: Json) -> Json:
        if (at.kind, at.namespace) != (kind_of(found), found["metadata"]["namespace"]):
            raise Refused(400, "BadRequest", f"{kind_of(found)} does not belong to {at}")
        if at.kind.name not in UNCHECKED and (wrong := faults(found)):
            raise Refused(400, "BadRequest", f"strict decoding error: {at}: {wrong}")
        self._count += 1
        found["metadata"]["resourceVersion"] = str(self._count)
        self._kept[at] = found
        return self._seen(at)

    def _seen(self, at: Place) -> Json:
        """With the status that its operator would have written."""
        found = deepcopy(self._kept[at])
        if at.kind.name == "Cluster":
            found["status"] = made.status(found, self._since[at])
        if at.kind == DEPLOYMENT:
            found["status"] = made.rolled_out(found)
        return found


def merged(into: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    found = dict(into) if isinstance(into, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def _has_more(patch: Any) -> bool:
    """Whether it says what a merge patch does not, or says otherwise."""
    if isinstance(patch, dict):
        return any(name.startswith("$") or _has_more(value) for name, value in patch.items())
    return isinstance(patch, list)
