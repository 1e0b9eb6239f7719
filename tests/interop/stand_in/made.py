"""What others than we make in a cluster, written down as they make it: no operator runs here.

Kubernetes' own controller makes pods of a Deployment, CloudNativePG makes pods of a Cluster and
says when it is ready, Strimzi makes the pods of a Kafka, which is not among our manifests: what
of it these name is the label `strimzi.io/cluster`.
"""

from collections.abc import Iterable, Iterator
from time import monotonic

from tests.interop.stand_in.kinds import DEPLOYMENT, Json, kind_of

# How long a database is restored here.
RESTORING_SECONDS = 1.0


def pods(objects: Iterable[Json]) -> Iterator[Json]:
    """Those that would run."""
    found = list(objects)
    strimzi = {
        (each["metadata"]["namespace"], each["metadata"]["labels"]["strimzi.io/cluster"])
        for each in found
        if each["kind"] == "KafkaUser"
    }
    for each in found:
        if kind_of(each) == DEPLOYMENT:
            yield from _of_deployment(each)
        elif each["kind"] == "Cluster":
            yield from _of_cloud_native_pg(each)
    for namespace, kafka in sorted(strimzi):
        yield from _of_strimzi(namespace, kafka)


def status(cluster: Json, since: float) -> Json:
    """What CloudNativePG says of a Cluster that was made at this time."""
    name, instances = cluster["metadata"]["name"], cluster["spec"]["instances"]
    ready = monotonic() - since > RESTORING_SECONDS
    return {
        "instances": instances,
        "readyInstances": instances if ready else 0,
        "phase": "Cluster in healthy state" if ready else "Setting up primary",
        "currentPrimary": f"{name}-1",
        "conditions": [{"type": "Ready", "status": str(ready), "reason": "StandIn"}],
    }


def rolled_out(deployment: Json) -> Json:
    """What Kubernetes' controller says of a Deployment once its pods run."""
    count = deployment["spec"]["replicas"]
    counted = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return dict.fromkeys(counted, count)


def _of_deployment(found: Json) -> Iterator[Json]:
    template, name = found["spec"]["template"], found["metadata"]["name"]
    labels, containers = template["metadata"]["labels"], template["spec"]["containers"]
    for count in range(found["spec"]["replicas"]):
        yield _pod(found["metadata"]["namespace"], f"{name}-{count}", labels, containers)


def _of_cloud_native_pg(found: Json) -> Iterator[Json]:
    name = found["metadata"]["name"]
    for count in range(1, found["spec"]["instances"] + 1):
        labels = {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance"}
        containers = [{"name": "postgres"}]
        yield _pod(found["metadata"]["namespace"], f"{name}-{count}", labels, containers)


def _of_strimzi(namespace: str, kafka: str) -> Iterator[Json]:
    for count in range(3):
        labels = {"strimzi.io/cluster": kafka, "strimzi.io/kind": "Kafka"}
        yield _pod(namespace, f"{kafka}-broker-{count}", labels, [{"name": "kafka"}])


def _pod(namespace: str, name: str, labels: Json, containers: list[Json]) -> Json:
    metadata = {"name": name, "namespace": namespace, "labels": labels, "uid": f"pod-{name}"}
    ready = [{"type": "Ready", "status": "True"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": containers},
        "status": {"phase": "Running", "conditions": ready},
    }
