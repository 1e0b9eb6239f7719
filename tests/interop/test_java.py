"""schemas/examples/java: kafka-clients, Spring Kafka, Nimbus JOSE and the CloudEvents SDK."""

import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from authbus.topics import KEYS_STATE
from tests.e2e.conftest import Serving
from tests.interop import new_keys
from tests.rig import foreign
from tests.rig.phantom import aborted_and_committed
from tests.rig.topics import forget, made

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

SOURCE = foreign.EXAMPLES / "java"
JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m")
CLASSES = ("-cp", "target/classes:target/dependency/*")
NO_KEYS = (b"", b"null", b"{}", b'{"signature": "a.b.c"}', b'{"signature": 1}')


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programs() -> Path:
    """Where the classes are, beside jars with the hashes of jars.sha256 and no others."""
    place = foreign.copied(SOURCE, "target")
    sources = Path("src", "main", "java", "example")
    shutil.copy(new_keys.PROGRAMS / "Register.java", place / sources)
    local = f"-Dmaven.repo.local={place / 'repository'}"
    goals = ("clean", "compile", "dependency:copy-dependencies")
    soon_over = {"MAVEN_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    command = ("mvn", "-B", "-q", "-C", local, *goals)
    await foreign.build(*command, folder=place, environment=soon_over)
    jars = (place / "target" / "dependency").iterdir()
    have = {jar.name: sha256(jar.read_bytes()).hexdigest() for jar in jars}
    lines = (SOURCE / "jars.sha256").read_text(encoding="utf-8").splitlines()
    assert have == {name: known for known, name in map(str.split, lines)}
    return place


async def test_java_registers_logs_in_refreshes_is_refused_and_logs_out_over_springs_template(
    programs: Path, places: Mapping[str, str]
) -> None:
    command = (*JAVA, *CLASSES, "example.Login")
    told = await foreign.run(*command, folder=programs, environment=places)

    foreign.is_a_life(told)


async def test_java_goes_over_to_new_keys_while_it_runs(
    programs: Path, places: Mapping[str, str], serving: Serving
) -> None:
    command = (*JAVA, *CLASSES, "example.Register")
    await new_keys.goes_over_to_them(*command, folder=programs, environment=places, serving=serving)


async def test_java_seals_nothing_for_a_key_of_another_root(
    programs: Path,
    places: Mapping[str, str],
) -> None:
    told = foreign.of_another_root(places)
    error = await foreign.failed(
        *JAVA, *CLASSES, "example.Login", folder=programs, environment=told
    )

    assert "no key under this trust within 10 s" in error


async def test_java_passes_over_what_is_no_record_of_a_key(
    programs: Path, places: Mapping[str, str]
) -> None:
    servers, namespace = places["KAFKA_BOOTSTRAP_SERVERS"], f"{places['AUTHBUS_NAMESPACE']}-odd"
    await made(servers, namespace, ["web"])
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for value in NO_KEYS:
            await producer.send_and_wait(KEYS_STATE.name(namespace), value, key=b"a")
    command = (*JAVA, *CLASSES, "example.Login")
    odd = {**places, "AUTHBUS_NAMESPACE": namespace}
    error = await foreign.failed(*command, folder=programs, environment=odd)
    await forget(servers, namespace)

    assert error.count("no key of the service's at offset") == len(NO_KEYS)
    assert "no key under this trust within 10 s" in error


async def test_java_reads_committed_events_alone_in_their_users_order(
    programs: Path, places: Mapping[str, str]
) -> None:
    command = (*JAVA, *CLASSES, "example.Login")
    told = await foreign.run(*command, folder=programs, environment=places)
    user, namespace = told[0].split(" ")[1], places["AUTHBUS_NAMESPACE"]
    never, real = await aborted_and_committed(places["KAFKA_BOOTSTRAP_SERVERS"], namespace)
    last = f"authbus.SessionEnded.v1 {user}", f"authbus.UserCreated.v1 {real}"

    environment = {**places, "GROUP": f"{namespace}-java"}
    command = (*JAVA, *CLASSES, "example.Events")
    async with foreign.started(*command, folder=programs, environment=environment) as child:
        heard = await foreign.lines_until(child, *last)

    assert [line for line in heard if f" {user} " in line] == foreign.events_of(user)
    assert str(never) not in " ".join(heard)
