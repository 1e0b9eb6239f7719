"""What is answered in another form than that in which it is kept."""

import json

from tests.interop.stand_in.kinds import Json

# As CloudNativePG's own definition of the kind has them.
_COLUMNS = {
    "Instances": "instances",
    "Ready": "readyInstances",
    "Status": "phase",
    "Primary": "currentPrimary",
}


def scale(found: Json) -> Json:
    metadata = {each: found["metadata"][each] for each in ("name", "namespace", "resourceVersion")}
    said = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata}
    return {**said, "spec": {"replicas": found["spec"]["replicas"]}, "status": {"replicas": 0}}


def table(found: Json) -> Json:
    columns = ["Name", *_COLUMNS]
    cells = [found["metadata"]["name"], *(found["status"][each] for each in _COLUMNS.values())]
    described = {"type": "string", "format": "", "description": "", "priority": 0}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [{"name": each, **described} for each in columns],
        "rows": [{"cells": cells, "object": found}],
    }


def page(pod: Json, headers: Json, asked: bytes) -> bytes:
    """What a forwarded port answers: what was asked for, and which of our containers has it."""
    port = int(headers["port"])
    listening = [
        each["name"]
        for each in pod["spec"]["containers"]
        if port in [one["containerPort"] for one in each.get("ports", ())]
    ]
    said = {"pod": pod["metadata"]["name"], "port": port, "containers": listening}
    body = json.dumps({**said, "path": asked.split()[1].decode()})
    head = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return f"HTTP/1.1 200 OK\r\n{head}{body}".encode()
