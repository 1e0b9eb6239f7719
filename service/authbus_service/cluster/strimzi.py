"""Topics and rights as Strimzi's resources, for a cluster that its operators keep."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from authbus_service.cluster.acls import CLUSTER, Acl
from authbus_service.cluster.topics import Wanted

Resource = Mapping[str, Any]
_API = "kafka.strimzi.io/v1"
_KINDS = {
    "topic": "topic",
    "group": "group",
    "transactional_id": "transactionalId",
    "cluster": "cluster",
}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def resources(topics: Iterable[Wanted], acls: Iterable[Acl], cluster: str) -> list[Resource]:
    """A KafkaTopic for each topic and a KafkaUser (SCRAM-SHA-512) for each principal."""
    users = groupby(sorted(acls), key=lambda acl: acl.principal)
    return [
        *(_topic(each, cluster) for each in topics),
        *(_user(principal.removeprefix("User:"), of, cluster) for principal, of in users),
    ]


def as_yaml(found: Iterable[Resource]) -> str:
    """One document each."""
    return "".join("---\n" + "".join(f"{line}\n" for line in _lines(each)) for each in found)


def _topic(topic: Wanted, cluster: str) -> Resource:
    return {
        **_head("KafkaTopic", topic.name, cluster),
        "spec": {
            "partitions": topic.partitions,
            "replicas": topic.replicas,
            "config": dict(sorted(topic.config.items())),
        },
    }


def _user(name: str, acls: Iterable[Acl], cluster: str) -> Resource:
    by_resource = groupby(acls, key=lambda acl: (acl.resource, acl.name, acl.prefixed))
    return {
        **_head("KafkaUser", name, cluster),
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    {"resource": _resource(*of), "operations": sorted(_operation(a) for a in each)}
                    for of, each in by_resource
                ],
            },
        },
    }


def _head(kind: str, name: str, cluster: str) -> Resource:
    labels = {"strimzi.io/cluster": cluster}
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name, "labels": labels}}


def _resource(kind: str, name: str, prefixed: bool) -> Resource:  # noqa: FBT001 - of one tuple
    if name == CLUSTER:
        return {"type": "cluster"}
    pattern = "prefix" if prefixed else "literal"
    return {"type": _KINDS[kind], "name": name, "patternType": pattern}


def _operation(acl: Acl) -> str:
    return acl.operation.title().replace("_", "")


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{_scalar(name)}:"
            yield from (f"  {line}" for line in _lines(inner))
        elif isinstance(inner, list) and all(isinstance(each, Mapping) for each in inner):
            yield f"{_scalar(name)}:"
            yield from _items(inner)
        elif isinstance(inner, list):
            yield f"{_scalar(name)}: [{', '.join(map(_scalar, inner))}]"
        else:
            yield f"{_scalar(name)}: {_scalar(inner)}"


def _items(values: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in values:
        for number, line in enumerate(_lines(each)):
            yield f"  {'  ' if number else '- '}{line}"


def _scalar(value: object) -> str:
    """Plain where nobody could read it as anything but this text."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value)
