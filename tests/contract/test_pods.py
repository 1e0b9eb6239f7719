"""The pods of the service and of its operators have what they need, and are who they say."""

# pyright: reportPrivateUsage=false

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from authbus_service import main
from authbus_service.core import tracing
from authbus_service.core.config import setting_names
from authbus_service.http import server
from authbus_service.startup import relaying
from tests.rig.manifests import deployment, documents, environment, pod_of


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "deploy" / "kubernetes"


def test_the_service_is_stopped_later_than_it_needs_to_finish(folder: Path) -> None:
    last_words = relaying._LAST_LOOKS * relaying._LOOK_SECONDS
    needs = main._FINISH_SECONDS + main._LEAVE_SECONDS + last_words
    needs += server._DRAIN_SECONDS + tracing.LAST_SECONDS

    assert pod_of(deployment(folder))["terminationGracePeriodSeconds"] > needs + 10


def test_a_pod_is_started_anew_when_it_is_dead_and_spared_while_it_is_not_ready(
    folder: Path,
) -> None:
    (container,) = pod_of(deployment(folder))["containers"]
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    asked = {each: container[each]["httpGet"] for each in probes}
    start = container["startupProbe"]

    assert {name: each["path"] for name, each in asked.items()} == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }
    assert {each["port"] for each in asked.values()} == {container["ports"][0]["name"]}
    assert start["periodSeconds"] * start["failureThreshold"] >= 60


def test_a_node_is_drained_of_pods_that_are_not_ready_while_a_server_is_away(folder: Path) -> None:
    budget = next(each for _, each in documents(folder) if each["kind"] == "PodDisruptionBudget")

    assert budget["spec"]["selector"] == deployment(folder)["spec"]["selector"]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_processes_are_spread_over_zones_and_nodes_and_run_where_there_is_one(folder: Path) -> None:
    spread = pod_of(deployment(folder))["topologySpreadConstraints"]

    assert {each["topologyKey"] for each in spread} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }
    for each in spread:
        assert each["labelSelector"] == deployment(folder)["spec"]["selector"]
        assert each["maxSkew"] == 1
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"


@pytest.mark.parametrize("file", ["authbus.yaml", "operator.yaml"])
def test_a_pod_is_given_real_settings_and_no_right_on_the_machine(folder: Path, file: str) -> None:
    pod = pod_of(deployment(folder, file))
    mounts = {each["name"] for each in pod["volumes"]}

    assert pod["enableServiceLinks"] is False, "each Service beside it would become a setting"
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in containers(pod):
        assert environment(container).keys() - {"POSTGRES_PASSWORD"} <= set(setting_names())
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {each["name"] for each in container["volumeMounts"]} == mounts


def test_an_operator_has_the_services_settings_under_a_name_of_its_own(folder: Path) -> None:
    service = environment(pod_of(deployment(folder))["containers"][0])
    pod = pod_of(deployment(folder, "operator.yaml"))
    operator, doctor, _ = map(environment, pod["containers"])
    users = {
        each["metadata"]["name"] for _, each in documents(folder) if each["kind"] == "KafkaUser"
    }

    assert doctor == service
    assert {name for name in service if operator.get(name) != service[name]} == {
        *("AUTHBUS_KAFKA_USERNAME", "AUTHBUS_KAFKA_PASSWORD_FILE"),
        *("AUTHBUS_RELAY_USERNAME", "AUTHBUS_RELAY_PASSWORD_FILE"),
    }
    assert not [name for name in operator if name.startswith("AUTHBUS_RELAY_")]
    assert operator["AUTHBUS_KAFKA_USERNAME"]["value"] in users - {"authbus", "authbus-relay"}


@pytest.mark.parametrize("file", ["authbus.yaml", "operator.yaml"])
def test_a_pod_hashes_no_more_at_a_time_than_it_asked_cores_for(folder: Path, file: str) -> None:
    found = map(environment, containers(pod_of(deployment(folder, file))))
    threads = [each["AUTHBUS_HASH_THREADS"] for each in found if "AUTHBUS_MASTER_KEY_FILE" in each]

    assert threads
    assert all(
        each["valueFrom"] == {"resourceFieldRef": {"resource": "requests.cpu"}} for each in threads
    )


def test_an_operators_pod_has_room_for_the_recovery_of_a_million_users_and_its_report(
    folder: Path,
) -> None:
    users, held, line = 1_000_000, 700 + 1000, 200  # of each with a session
    pod = pod_of(deployment(folder, "operator.yaml"))
    operator = pod["containers"][0]
    mounts = {each["mountPath"]: each["name"] for each in operator["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}

    reports = volumes[mounts[operator["workingDir"]]]["emptyDir"]

    assert reports.get("medium", "") != "Memory", "it would be full long before the limit"
    assert amount(reports["sizeLimit"]) > 2 * 2 * users * line, "two lines each, of two runs"
    assert amount(operator["resources"]["limits"]["memory"]) > users * held + amount("256Mi")


def amount(text: str) -> int:
    """Bytes of what Kubernetes is told."""
    number, unit = text[:-2], text[-2:]
    return int(number) * {"Mi": 1024**2, "Gi": 1024**3}[unit]


def test_an_operators_pod_starts_while_the_database_is_gone(folder: Path) -> None:
    cluster = next(each for _, each in documents(folder) if each["kind"] == "Cluster")
    pod = pod_of(deployment(folder, "operator.yaml"))
    asked = [each["secret"] for each in pod["volumes"] if "secret" in each]
    asked += [
        each["valueFrom"]["secretKeyRef"]
        for container in pod["containers"]
        for each in container["env"]
        if "secretKeyRef" in each.get("valueFrom", ())
    ]
    optional = {each.get("secretName") or each["name"]: each.get("optional") for each in asked}

    # CloudNativePG makes these two for a Cluster, and they go with it.
    for of in ("app", "ca"):
        assert optional[f"{cluster['metadata']['name']}-{of}"] is True
    assert "initContainers" not in pod
    assert all(each["command"] == ["sleep", "infinity"] for each in pod["containers"])


@pytest.mark.parametrize("file", ["authbus.yaml", "operator.yaml"])
def test_migrations_alone_come_as_the_owner_of_the_tables(folder: Path, file: str) -> None:
    cluster = next(each for _, each in documents(folder) if each["kind"] == "Cluster")
    owner, (role,) = (
        cluster["spec"]["bootstrap"]["initdb"]["owner"],
        cluster["spec"]["managed"]["roles"],
    )
    pod = pod_of(deployment(folder, file))

    by_whom = {each["name"]: came_as(each) for each in containers(pod)}

    assert by_whom.pop("migrate") == (owner, f"{cluster['metadata']['name']}-app")
    assert {*by_whom.values()} == {(role["name"], role["passwordSecret"]["name"])}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def came_as(container: dict[str, Any]) -> tuple[str, str]:
    """The role at PostgreSQL, and the secret with its password."""
    found = environment(container)
    role = found["DATABASE_URL"]["value"].removeprefix("postgresql://").partition(":")[0]
    return role, found["POSTGRES_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"]


def test_each_secret_of_kafka_is_that_of_the_name_it_stands_for(folder: Path) -> None:
    for file in ("authbus.yaml", "operator.yaml"):
        pod = pod_of(deployment(folder, file))
        secrets = {
            each["name"]: each["secret"]["secretName"]
            for each in pod["volumes"]
            if "secret" in each
        }
        for container in containers(pod):
            found = environment(container)
            at = {
                each["mountPath"]: secrets.get(each["name"]) for each in container["volumeMounts"]
            }
            for who in ("KAFKA", "RELAY"):
                if name := found.get(f"AUTHBUS_{who}_USERNAME"):
                    path = Path(found[f"AUTHBUS_{who}_PASSWORD_FILE"]["value"])
                    assert at[str(path.parent)] == name["value"]


def test_keda_asks_as_the_service_and_finds_kafka_from_a_namespace_of_its_own(
    folder: Path,
) -> None:
    found = {each["kind"]: each.get("spec", {}) for _, each in documents(folder)}
    (name,) = found["TriggerAuthentication"]["env"]
    triggers = [each["metadata"] for each in found["ScaledObject"]["triggers"]]
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    container = pod_of(deployment(folder))["containers"][0]
    host, _, port = environment(container)["KAFKA_BOOTSTRAP_SERVERS"]["value"].partition(":")

    assert (name["parameter"], name["containerName"]) == ("username", container["name"])
    assert name["name"] in environment(container)
    assert {each["bootstrapServers"] for each in triggers} == {
        f"{host}.{kustomization['namespace']}.svc:{port}"
    }
    assert not [each for each in triggers if "username" in each]


def test_prometheus_finds_each_pod_by_its_name_under_the_job_that_rules_ask_for(
    folder: Path,
) -> None:
    place = folder.with_name("prometheus")
    monitor = yaml.safe_load((place / "pod-monitor.yaml").read_text(encoding="utf-8"))["spec"]
    service = deployment(folder)
    (endpoint,) = monitor["podMetricsEndpoints"]
    labels = {each["targetLabel"]: each for each in endpoint["relabelings"]}
    ports = [each["name"] for each in pod_of(service)["containers"][0]["ports"]]

    assert monitor["selector"] == service["spec"]["selector"]
    assert endpoint["port"] in ports
    scraped = yaml.safe_load((place / "kubernetes-pods.yaml").read_text(encoding="utf-8"))
    (job,) = scraped["scrape_configs"]
    rules = {each["source_labels"][0]: each for each in job["relabel_configs"]}
    (search,) = job["kubernetes_sd_configs"]
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert search == {"role": "pod", "namespaces": {"names": [kustomization["namespace"]]}}
    pod = "__meta_kubernetes_pod_name"
    assert rules.pop(pod) == {"source_labels": [pod], "target_label": "instance"}
    assert labels["instance"] == {"sourceLabels": [pod], "targetLabel": "instance"}
    assert {name: each["regex"] for name, each in rules.items() if each["action"] == "keep"} == {
        "__meta_kubernetes_pod_label_app_kubernetes_io_name": "authbus",
        "__meta_kubernetes_pod_container_port_name": endpoint["port"],
    }
    assert monitor["selector"]["matchLabels"] == {"app.kubernetes.io/name": "authbus"}
    assert job["job_name"] == labels["job"]["replacement"]
    asked = re.findall(r'job="(\w+)"', (place / "alerts.yaml").read_text(encoding="utf-8"))
    assert {*asked} == {job["job_name"]}
