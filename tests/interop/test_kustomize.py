"""Kustomize itself makes of each folder what a cluster is given: patches, names and all."""

from typing import Any

import pytest
import yaml

from tests.rig.foreign import KUSTOMIZE, REPOSITORY, run
from tests.rig.manifests import UNCHECKED, faults, pod_of

pytestmark = pytest.mark.interop

FOLDERS = ["kubernetes", "kubernetes-keda", "kubernetes-restore"]
Built = list[dict[str, Any]]


async def built(folder: str) -> Built:
    """What `kubectl apply -k` would apply."""
    lines = await run(*KUSTOMIZE, folder, folder=REPOSITORY / "deploy")
    return list(yaml.safe_load_all("\n".join(lines)))


def one(kind: str, resources: Built) -> dict[str, Any]:
    (found,) = [each for each in resources if each["kind"] == kind]
    return found


@pytest.mark.parametrize("folder", FOLDERS)
async def test_each_resource_that_is_made_is_what_its_schema_allows(folder: str) -> None:
    resources = await built(folder)

    kinds = {each["kind"] for each in resources}
    assert kinds >= {"KafkaTopic", "KafkaUser", "Cluster", "Deployment", "ConfigMap"}
    wrong = {
        f"{each['kind']} {each['metadata']['name']}": told
        for each in resources
        if each["kind"] not in UNCHECKED and (told := faults(each))
    }
    assert not wrong


@pytest.mark.parametrize("folder", FOLDERS)
async def test_all_go_into_one_namespace_from_one_image_with_the_clients_that_are_declared(
    folder: str,
) -> None:
    resources = await built(folder)
    pods = [pod_of(each) for each in resources if each["kind"] == "Deployment"]
    clients = one("ConfigMap", resources)
    images = {
        each["image"]
        for pod in pods
        for each in (*pod.get("initContainers", ()), *pod["containers"])
    }
    kustomization = REPOSITORY / "deploy" / "kubernetes" / "kustomization.yaml"
    said = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
    (image,) = said["images"]

    assert {each["metadata"]["namespace"] for each in resources} == {said["namespace"]}
    assert images == {f"{image['newName']}:{image['newTag']}"}
    declared = kustomization.with_name("clients.toml").read_text(encoding="utf-8")
    assert clients["data"] == {"clients.toml": declared}
    mounted = {
        each["configMap"]["name"] for pod in pods for each in pod["volumes"] if "configMap" in each
    }
    assert mounted == {clients["metadata"]["name"]}


async def test_one_autoscaler_has_the_say_by_cpu_or_by_lag() -> None:
    scaling = {"HorizontalPodAutoscaler", "ScaledObject"}

    found = [{each["kind"] for each in await built(folder)} & scaling for folder in FOLDERS]

    by_cpu, by_lag = {"HorizontalPodAutoscaler"}, {"ScaledObject"}
    assert found == [by_cpu, by_lag, by_cpu]


async def test_the_database_that_is_restored_is_else_the_one_that_was_lost() -> None:
    lost, restored = [one("Cluster", await built(each)) for each in (FOLDERS[0], FOLDERS[2])]

    assert (*lost["spec"]["bootstrap"],) == ("initdb",)
    assert (*restored["spec"]["bootstrap"],) == ("recovery",)
    changed = ("bootstrap", "externalClusters", "plugins")
    for each in changed:
        assert lost["spec"].pop(each, None) != restored["spec"].pop(each)
    assert restored == lost
