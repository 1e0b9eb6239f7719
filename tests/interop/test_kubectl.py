"""What the runbook says to kubectl, said by kubectl itself, to a stand-in for a cluster.

This is no cluster. kubectl is the real one and reads each command as it stands on the page; the
stand-in has our manifests, applied by `kubectl apply -k`, and answers as a Kubernetes API server
would. So this shows that kubectl takes each command, that it names what our manifests make, and
what it asks of the cluster. It does not show what a cluster then does: no pod runs, no operator
restores, and a command in a container is written down and not run. stand_in/made.py tells what
others than we would have made.
"""

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import pytest_asyncio
import yaml

from tests.interop.stand_in import kubectl
from tests.interop.stand_in.cluster import Cluster, running
from tests.interop.stand_in.kinds import POD, Json, Kind, kind_of
from tests.interop.stand_in.objects import Objects
from tests.interop.stand_in.server import Ran
from tests.rig import foreign
from tests.rig.runbook import programs, told

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

FOLDERS = ["deploy/kubernetes", "deploy/kubernetes-keda", "deploy/kubernetes-restore"]
# So that whoever listens at 127.0.0.1 is in nobody's way.
AN_ADDRESS_OF_OUR_OWN = "127.80.80.1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kinds() -> set[Kind]:
    """Those of our manifests, and pods; kubectl is built before."""
    await kubectl.built()
    found = {POD}
    for folder in FOLDERS:
        words = kubectl.words(f"kubectl kustomize {folder}")
        made = await foreign.run(*words, folder=foreign.REPOSITORY)
        found |= {kind_of(each) for each in yaml.safe_load_all("\n".join(made))}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def applied(kinds: set[Kind], tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """What `deploy/kubernetes` makes, by kubectl itself."""
    with running(Objects(kinds), tmp_path_factory.mktemp("applied")) as cluster:
        await cluster.says(f"kubectl apply -k {FOLDERS[0]}")
        return cluster.stand_in.objects.kept()


@pytest.fixture
def cluster(kinds: set[Kind], applied: list[Json], tmp_path: Path) -> Iterator[Cluster]:
    with running(Objects(kinds, applied), tmp_path) as found:
        yield found


async def test_the_operators_pod_is_started_and_each_container_is_entered(
    cluster: Cluster,
) -> None:
    doctor = told("exec", "doctor")
    before = await cluster.refuses(f"{doctor.replace('exec', 'exec --pod-running-timeout=1s')}")

    await cluster.says(told("scale", "deployment/authbus-operator"))
    runs = await cluster.says(told("rollout", "status"))
    looked = await cluster.at_a_terminal(doctor)
    listed = await cluster.at_a_terminal(told("exec", "dead-letters"))

    assert "timed out" in before
    assert "successfully rolled out" in runs
    assert cluster.replicas("authbus-operator") == 1
    assert looked == Ran("authbus-operator-0", "doctor", ["authbus", "doctor"], terminal=True)
    assert (listed.container, listed.command[1:]) == ("operator", ["dead-letters", "list"])


async def test_keda_is_told_to_rest_and_no_process_is_asked_for(cluster: Cluster) -> None:
    await cluster.says(f"kubectl apply -k {FOLDERS[1]}")

    await cluster.says(told("annotate"))
    told_so = dict(cluster.objects("ScaledObject")["authbus"]["metadata"]["annotations"])
    await cluster.says(told("scale", "deployment/authbus"))
    await cluster.says(f"{told('annotate').rpartition('=')[0]}-")

    at = "autoscaling.keda.sh/paused-replicas"
    assert told_so[at] == "0"
    assert cluster.objects("ScaledObject")["authbus"]["spec"]["scaleTargetRef"]["name"] == "authbus"
    assert cluster.replicas("authbus") == 0
    assert at not in cluster.objects("ScaledObject")["authbus"]["metadata"]["annotations"]
    assert f"`{at}-`" in (foreign.REPOSITORY / "deploy/runbook.md").read_text(encoding="utf-8")


async def test_the_commands_that_restore_a_lost_database_are_taken_in_their_order(
    cluster: Cluster,
) -> None:
    operator = told("scale", "deployment/authbus-operator")
    backup = cluster.objects("ScheduledBackup")["authbus-daily"]["metadata"]["uid"]
    await cluster.says(operator)

    await cluster.says(told("scale", "deployment/authbus"))
    await cluster.says(told("delete", "cluster.postgresql.cnpg.io/authbus-postgres"))
    gone = cluster.objects("Cluster")
    await cluster.says(told("apply", "deploy/kubernetes-restore"))
    ended = cluster.replicas("authbus-operator")
    await cluster.says(told("wait"))
    restored = cluster.objects("Cluster")["authbus-postgres"]
    await cluster.says(operator)
    await cluster.says(told("rollout", "status"))
    migrated = await cluster.at_a_terminal(told("exec", "migrate"))
    await cluster.says(told("exec", "recovery.json"))
    await cluster.says(told("delete", "scheduledbackup.postgresql.cnpg.io/authbus-daily"))
    await cluster.says(told("apply", "deploy/kubernetes-restore"))

    assert (gone, ended, cluster.replicas("authbus")) == ({}, 0, 0)
    assert (*restored["spec"]["bootstrap"],) == ("recovery",)
    assert restored["status"]["conditions"][0]["status"] == "True"
    assert (migrated.container, migrated.command) == ("migrate", ["authbus", "migrate"])
    read = Ran("authbus-operator-0", "operator", ["cat", "recovery.json"], terminal=False)
    assert cluster.stand_in.ran[-1] == read
    assert cluster.replicas("authbus-operator") == 0
    assert cluster.objects("ScheduledBackup")["authbus-daily"]["metadata"]["uid"] != backup


async def test_the_report_is_read_where_recover_writes_it(cluster: Cluster) -> None:
    """Both are in the container that is taken where none is named, in its folder."""
    containers = cluster.objects("Deployment")["authbus-operator"]["spec"]["template"]["spec"]
    writable = {each["name"] for each in containers["volumes"] if "emptyDir" in each}

    first = containers["containers"][0]
    mounts = {each["mountPath"]: each["name"] for each in first["volumeMounts"]}

    assert "recover --report recovery.json" in " ".join(programs())
    assert mounts[first["workingDir"]] in writable


async def test_the_primary_is_named_and_psql_is_asked_for_there_with_our_database(
    cluster: Cluster,
) -> None:
    asking = told("exec", "psql")
    spec = cluster.objects("Cluster")["authbus-postgres"]["spec"]

    named = await cluster.says(told("get", "cluster.postgresql.cnpg.io/authbus-postgres"))
    asked = await cluster.at_a_terminal(asking)

    titles, row = named.splitlines()
    assert titles.split()[-1] == "PRIMARY"
    assert row.split()[-1] == asked.pod
    assert (asked.container, asked.command[0]) == ("postgres", "psql")
    assert asked.command[1] == spec["bootstrap"]["initdb"]["database"]


@pytest.mark.parametrize("folder", FOLDERS)
async def test_the_folder_that_was_applied_last_is_applied_again(
    folder: str, cluster: Cluster, tmp_path: Path
) -> None:
    apply = f"{told('apply', '-k')} {folder}"
    shutil.copytree(foreign.REPOSITORY / "deploy", tmp_path / "deploy")
    postgres = tmp_path / "deploy" / "kubernetes" / "postgres.yaml"
    await cluster.says(told("delete", "cluster.postgresql.cnpg.io/authbus-postgres"))
    await cluster.says(apply, tmp_path)
    before = cluster.objects("Cluster")["authbus-postgres"]["spec"]

    smaller = postgres.read_text(encoding="utf-8")
    postgres.write_text(smaller.replace("size: 20Gi", "size: 40Gi"), encoding="utf-8")
    lines = (await cluster.says(apply, tmp_path)).splitlines()

    assert "cluster.postgresql.cnpg.io/authbus-postgres configured" in lines
    assert not [each for each in lines if each.endswith("created")]
    larger = {**before, "storage": {"size": "40Gi"}}
    assert cluster.objects("Cluster")["authbus-postgres"]["spec"] == larger


async def test_a_brokers_pod_is_found_and_entered(cluster: Cluster) -> None:
    found = await cluster.says(f"{told('get', 'pods')} -o name")
    pods = [each.removeprefix("pod/") for each in found.split()]

    entered = await cluster.at_a_terminal(told("exec", "POD").replace("POD", pods[0]))

    assert len(pods) == 3
    assert entered == Ran(pods[0], "kafka", ["bash"], terminal=True)


async def test_a_port_of_the_service_is_forwarded_to_ones_own_machine(cluster: Cluster) -> None:
    forward = f"{told('port-forward')} --address {AN_ADDRESS_OF_OUR_OWN}"
    (asking,) = (each for each in programs() if each.startswith("curl "))
    asked = urlsplit(shlex.split(asking)[-1])
    folder = foreign.REPOSITORY

    words = kubectl.words(forward)
    async with foreign.started(*words, folder=folder, environment=cluster.environment) as child:
        await foreign.lines_until(child, "Forwarding from")
        url = asked._replace(netloc=f"{AN_ADDRESS_OF_OUR_OWN}:{asked.port}").geturl()
        async with httpx2.AsyncClient(trust_env=False) as client:
            answers = [(await client.get(url)).json() for _ in range(2)]

    pod = {"pod": "authbus-0", "port": 8080, "containers": ["authbus"], "path": "/health/ready"}
    assert answers == [pod, pod]


@pytest.mark.parametrize(
    ("words", "right", "wrong", "cure"),
    [
        (["exec", "doctor"], "-c doctor", "-c doctr", "doctr is not valid"),
        (["exec", "doctor"], "authbus-operator", "authbus-operators", "not found"),
        (["exec", "psql"], "authbus-postgres-1", "authbus-postgres-4", "not found"),
        (["exec", "recovery.json"], "-n kafka", "-n kafkas", "not found"),
        (["scale", "deployment/authbus"], "/authbus", "/authbuss", "not found"),
        (["scale", "deployment/authbus"], "--replicas=0", "--replica=0", "unknown flag"),
        (["delete", "scheduledbackup.postgresql.cnpg.io/authbus-daily"], "cnpg", "cnpgs", "type"),
        (["wait"], "authbus-postgres", "authbus-postgre", "not found"),
        (["apply", "deploy/kubernetes-restore"], "-restore", "-restores", "not a valid directory"),
        (["port-forward"], "deployment/authbus", "deployment/authbuss", "not found"),
        (["annotate"], "scaledobject/", "scaleobject/", "type"),
    ],
    ids=lambda found: found if isinstance(found, str) else None,
)
async def test_what_our_manifests_do_not_have_or_kubectl_does_not_know_is_refused(
    words: list[str], right: str, wrong: str, cure: str, cluster: Cluster
) -> None:
    await cluster.says(told("scale", "deployment/authbus-operator"))
    command = told(*words)
    assert command.count(right) == 1

    assert cure in await cluster.refuses(command.replace(right, wrong))
