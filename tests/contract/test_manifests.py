"""What runs the service elsewhere is what the declarations say, and what its schemas allow.

No schema is kept here of `ObjectStore` and `PodMonitor` (manifests/README.md): of these two the
references alone are held against what they name, here and in test_pods.py.
"""

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from authbus_service.cluster import declared as declared_topics
from authbus_service.cluster.acls import acls
from authbus_service.cluster.strimzi import as_yaml, resources
from authbus_service.consumers.intakes import INTAKES, groups_of
from authbus_service.core.clients import read_declared
from authbus_service.core.database import connect
from tests.rig.manifests import UNCHECKED, documents, faults


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "deploy" / "kubernetes"


def test_every_resource_is_what_its_schema_allows(folder: Path) -> None:
    checked = [(at, each) for at, each in documents(folder) if each["kind"] not in UNCHECKED]

    kinds = {each["kind"] for _, each in checked}
    assert kinds >= {"KafkaTopic", "KafkaUser", "Cluster", "Deployment", "ScaledObject"}
    wrong = {f"{at} {each['kind']}": told for at, each in checked if (told := faults(each))}
    assert not wrong


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("KafkaTopic", "partition", 3),
        ("KafkaUser", "authorization.acls.0.operations", ["Reed"]),
        ("Cluster", "postgresql.synchronous.method", "some"),
        ("Deployment", "template.spec.gracePeriod", 1),
    ],
)
def test_a_resource_that_is_wrong_is_found(
    folder: Path, kind: str, path: str, value: object
) -> None:
    document = next(each for _, each in documents(folder) if each["kind"] == kind)
    *way, last = path.split(".")
    inner = document["spec"]
    for step in way:
        inner = inner[int(step) if step.isdigit() else step]

    inner[last] = value

    assert faults(document)


def test_topics_and_users_are_those_of_the_declarations(folder: Path) -> None:
    declared = read_declared(folder / "clients.toml")
    topics = declared_topics("auth", declared.clients, 3)
    rights = acls("auth", declared, groups_of("auth"))

    made = as_yaml(resources(topics, rights, "kafka"))

    text = (folder / "kafka.yaml").read_text(encoding="utf-8")
    assert text.partition("\n")[2] == made, "stale: make deploy/kubernetes/kafka.yaml anew"
    assert list(yaml.safe_load_all(made)) == resources(topics, rights, "kafka")


def test_everything_is_part_of_the_kustomization(folder: Path) -> None:
    for place in folder.parent.glob("kubernetes*"):
        listed = yaml.safe_load((place / "kustomization.yaml").read_text())["resources"]
        files = {each.name for each in place.glob("*.yaml")} - {"kustomization.yaml"}
        assert {each for each in listed if each.endswith(".yaml")} == files


def test_whatever_a_folder_has_of_its_own_goes_where_the_service_goes(folder: Path) -> None:
    places = [path.parent for path in folder.parent.glob("kubernetes*/kustomization.yaml")]
    read = [(yaml.safe_load((each / "kustomization.yaml").read_text()), each) for each in places]
    namespaces = {
        each.name: found.get("namespace")
        for found, each in read
        if any(file.endswith(".yaml") for file in found["resources"])
    }

    assert namespaces == {"kubernetes": "kafka", "kubernetes-keda": "kafka"}


def merged(into: Any, patch: Any) -> Any:
    """As kustomize patches what it has no schema of: RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    kept = {name: each for name, each in into.items() if name not in patch}
    return kept | {
        name: merged(into.get(name, {}), each) for name, each in patch.items() if each is not None
    }


def test_a_database_is_restored_from_where_the_lost_one_put_its_log(folder: Path) -> None:
    place = folder.with_name("kubernetes-restore") / "kustomization.yaml"
    patch = yaml.safe_load(yaml.safe_load(place.read_text())["patches"][0]["patch"])
    lost = next(each for _, each in documents(folder) if each["kind"] == "Cluster")

    restored = merged(lost, patch)

    assert not faults(restored)
    assert restored["metadata"] == lost["metadata"]
    spec, (source,) = restored["spec"], restored["spec"]["externalClusters"]
    made = lost["spec"]["bootstrap"]["initdb"]
    assert spec["bootstrap"] == {
        "recovery": {"source": source["name"], "database": made["database"], "owner": made["owner"]}
    }
    (before,), (after,) = lost["spec"]["plugins"], spec["plugins"]
    read = source["plugin"]["parameters"]
    assert read == before["parameters"] | {"serverName": lost["metadata"]["name"]}
    assert after["parameters"]["serverName"] != read["serverName"]


def test_backups_lie_where_the_log_goes_and_no_longer_than_what_they_lack_is_on_kafka(
    folder: Path,
) -> None:
    found = {each["kind"]: each for _, each in documents(folder)}
    store, cluster, daily = (found[kind] for kind in ("ObjectStore", "Cluster", "ScheduledBackup"))
    (archiver,) = cluster["spec"]["plugins"]
    days = int(store["spec"]["retentionPolicy"].removesuffix("d"))
    commands = min(int(topic.config["retention.ms"]) for _, of in INTAKES for topic in of)

    assert archiver["isWALArchiver"] is True
    assert archiver["parameters"]["barmanObjectName"] == store["metadata"]["name"]
    assert daily["spec"]["cluster"]["name"] == cluster["metadata"]["name"]
    assert daily["spec"]["pluginConfiguration"]["name"] == archiver["name"]
    assert timedelta(days=days + 1) < timedelta(milliseconds=commands)


def test_postgresql_takes_the_connections_of_every_process_that_may_run(folder: Path) -> None:
    found = {(at, each["kind"]): each.get("spec", {}) for at, each in documents(folder)}
    surge = found["authbus.yaml", "Deployment"]["strategy"]["rollingUpdate"]["maxSurge"]
    processes = found["autoscaling.yaml", "HorizontalPodAutoscaler"]["maxReplicas"] + surge
    cluster = found["postgres.yaml", "Cluster"]
    most = int(cluster["postgresql"]["parameters"]["max_connections"])
    # One listens, one is the watchdog's.
    a_process = inspect.signature(connect).parameters["connections"].default + 2

    # What CloudNativePG and operators need, and standbys, is not the service's.
    assert processes * a_process + 50 <= most


def test_postgresql_ends_a_transaction_that_somebody_forgot_after_a_minute(folder: Path) -> None:
    cluster = next(each["spec"] for _, each in documents(folder) if each["kind"] == "Cluster")

    assert cluster["postgresql"]["parameters"]["idle_in_transaction_session_timeout"] == "1min"


def test_a_commit_waits_for_one_of_two_standbys_whichever_it_is(folder: Path) -> None:
    spec = next(each["spec"] for _, each in documents(folder) if each["kind"] == "Cluster")

    assert spec["instances"] == 3
    assert spec["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
    }


def test_the_autoscaler_goes_by_the_cpu_of_the_service(folder: Path) -> None:
    found = {(at, each["kind"]): each for at, each in documents(folder)}
    service = found["authbus.yaml", "Deployment"]
    spec = found["autoscaling.yaml", "HorizontalPodAutoscaler"]["spec"]
    (metric,) = spec["metrics"]

    assert (metric["type"], metric["resource"]["name"]) == ("Resource", "cpu")
    assert metric["resource"]["target"]["type"] == "Utilization"
    assert spec["scaleTargetRef"] == {
        "apiVersion": service["apiVersion"],
        "kind": service["kind"],
        "name": service["metadata"]["name"],
    }


def test_the_autoscalers_know_every_command_topic_and_no_more_processes_than_partitions(
    folder: Path,
) -> None:
    found = {each["kind"]: each for _, each in documents(folder)}
    triggers = [each["metadata"] for each in found["ScaledObject"]["spec"]["triggers"]]
    scaled = {(each["consumerGroup"], each["topic"]) for each in triggers}
    most = max(topic.partitions for _, of in INTAKES for topic in of)

    assert scaled == {
        (group, topic.name("auth")) for group, of in groups_of("auth").items() for topic in of
    }
    assert len(triggers) == len(scaled)
    by_cpu, by_lag = (found[kind]["spec"] for kind in ("HorizontalPodAutoscaler", "ScaledObject"))
    assert by_cpu["maxReplicas"] == by_lag["maxReplicaCount"] == most
    assert by_cpu["behavior"] == by_lag["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
