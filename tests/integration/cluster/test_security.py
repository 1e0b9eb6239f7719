"""Kafka is reached as the settings say, and who is not taken learns why and no secret."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.client import AIOKafkaClient

from authbus import AuthUnavailable, EventStream
from authbus.kafka.security import InsecureConnectionError, SaslPassword, SaslTokens, Security
from authbus.tls import Tls
from authbus_service.cluster import Admin, ClusterError
from authbus_service.consumers.broker import broker
from authbus_service.core.config import Settings
from tests.rig.pki import Authority
from tests.rig.scram import set_passwords
from tests.rig.secured import Secured, a_secured_kafka, unsigned_token

WAYS: dict[str, tuple[str, Callable[[Secured], Security]]] = {
    "scram-256": ("login", lambda kafka: kafka.by_password("web", mechanism="SCRAM-SHA-256")),
    "scram-512": ("login", lambda kafka: kafka.by_password("web", mechanism="SCRAM-SHA-512")),
    "plain-over-tls": ("login", lambda kafka: kafka.by_password("web", mechanism="PLAIN")),
    "oauthbearer": ("login", lambda kafka: kafka.by_token("web")),
    "mtls": ("mutual", lambda kafka: kafka.by_certificate("web")),
    "scram-bare": ("bare", lambda _: Security(None, SaslPassword("web", "secret-of-web"))),
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    async with a_secured_kafka(tmp_path_factory.mktemp("secured"), ["web"]) as started:
        yield started


async def cluster_id(servers: str, security: Security) -> str:
    async with Admin.connect(servers, security.arguments(servers)) as admin:
        return (await admin.describe())[0]


async def told(servers: str, security: Security) -> str:
    """What a program and an operator learn; both learn the same."""
    with pytest.raises(ClusterError) as service:
        await cluster_id(servers, security)
    with pytest.raises(AuthUnavailable) as client:
        async with EventStream(servers, group="g", security=security):
            raise AssertionError
    reason = str(client.value).partition(f"Kafka at {servers}: ")[2]
    assert reason in str(service.value)
    return reason


@pytest.mark.parametrize("name", WAYS)
async def test_each_way_of_proving_who_one_is_is_taken(kafka: Secured, name: str) -> None:
    place, way = WAYS[name]
    servers, security = getattr(kafka, place), way(kafka)

    subscribers = broker(servers, security.arguments(servers))
    await subscribers.connect()

    assert await subscribers.ping(timeout=5)
    assert await cluster_id(servers, security) == await cluster_id(kafka.inside, Security())
    await subscribers.stop()


async def test_a_wrong_password_is_named_with_its_user_and_never_shown(kafka: Secured) -> None:
    reason = await told(kafka.login, kafka.by_password("web", "hunter2"))

    assert "does not take the password of web by SCRAM-SHA-512" in reason
    assert "hunter2" not in reason


async def test_an_expired_token_is_named_and_never_shown(kafka: Secured) -> None:
    async def stale() -> str:
        return unsigned_token("web", seconds=-60)

    reason = await told(kafka.login, Security(Tls(kafka.authority.file), SaslTokens(stale)))

    assert "does not take the token. Has it expired" in reason


async def test_a_broker_whose_ca_nobody_knows_is_not_trusted(
    kafka: Secured, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")

    reason = await told(kafka.login, Security(Tls(stranger.file), SaslPassword("web", "x")))

    assert "its certificate is not to be trusted (unable to get local issuer" in reason


async def test_a_broker_of_another_name_is_not_trusted(kafka: Secured) -> None:
    servers = kafka.login.replace("127.0.0.1", "localhost")

    reason = await told(servers, kafka.by_password("web"))

    assert "Hostname mismatch" in reason


async def test_a_broker_that_wants_a_certificate_says_no_to_one_without(kafka: Secured) -> None:
    reason = await told(kafka.mutual, Security(Tls(kafka.authority.file)))

    assert "does it want a certificate of ours" in reason


@pytest.mark.parametrize("mechanism", ["PLAIN", "token"])
async def test_what_could_be_read_on_the_way_is_not_sent_in_the_clear(mechanism: str) -> None:
    async def token() -> str:
        raise AssertionError

    log_in = (
        SaslTokens(token)
        if mechanism == "token"
        else SaslPassword("web", "hunter2", mechanism="PLAIN")
    )

    with pytest.raises(InsecureConnectionError, match="TLS alone"):
        EventStream(
            "localhost:9092,kafka.example.com:9092", group="g", security=Security(None, log_in)
        )
    EventStream("localhost:9092,[::1]:9092,127.0.0.1", group="g", security=Security(None, log_in))


async def test_a_password_that_changed_counts_at_the_next_connection(
    kafka: Secured, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("secret-of-web\n")
    settings = Settings(
        kafka_bootstrap_servers=kafka.login,
        kafka_security_protocol="SASL_SSL",
        kafka_ca_file=kafka.authority.file,
        kafka_username="web",
        kafka_password_file=file,
    )
    known = settings.security()
    plain = Settings.model_validate({**dict(settings), "kafka_sasl_mechanism": "PLAIN"}).security()
    async with Admin.connect(kafka.login, known) as admin:
        await set_passwords(kafka.inside, {"web": "another"})
        with pytest.raises(ClusterError, match="does not take the password of web"):
            await _new_connection(kafka.login, known)
        file.write_text("another\n")

        await _new_connection(kafka.login, known)

        await admin.describe()  # who was in stays in
    with pytest.raises(ClusterError, match="does not take the password of web by PLAIN"):
        await _new_connection(kafka.login, plain)
    file.write_text("secret-of-web\n")
    await _new_connection(kafka.login, plain)
    await set_passwords(kafka.inside, {"web": "secret-of-web"})


async def _new_connection(servers: str, known: dict[str, object]) -> None:
    async with Admin.connect(servers, known) as admin:
        await admin.describe()


async def test_certificates_that_changed_count_at_the_next_connection(
    kafka: Secured, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    ours, ca = tmp_path / "ours.pem", tmp_path / "ca.pem"
    stranger.issue("web", into=ours)
    ca.write_bytes(kafka.authority.file.read_bytes())
    known = Security(Tls(ca, ours)).arguments(kafka.mutual)
    with pytest.raises(ClusterError):
        await _new_connection(kafka.mutual, known)

    kafka.authority.issue("web", into=ours)
    await _new_connection(kafka.mutual, known)

    ours.write_text("half")  # as of a writer that is not done
    await _new_connection(kafka.mutual, known)
    kafka.authority.issue("web", into=ours)
    ca.write_bytes(stranger.file.read_bytes())
    with pytest.raises(ClusterError, match="not to be trusted"):
        await _new_connection(kafka.mutual, known)


async def test_many_connections_at_once_log_in_with_what_a_provider_says_then(
    kafka: Secured, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    security = Security(Tls(kafka.authority.file), SaslTokens.from_file(file))
    known = security.arguments(kafka.login)
    file.write_text(unsigned_token("web"))

    await asyncio.gather(*(_new_connection(kafka.login, known) for _ in range(5)))

    file.write_text("nonsense")
    with pytest.raises(ClusterError, match="does not take the token"):
        await _new_connection(kafka.login, known)


@pytest.mark.parametrize("trouble", ["raises", "hangs", "token file", "password file"])
async def test_a_log_in_that_cannot_be_made_now_is_made_at_a_later_connection(
    kafka: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr("authbus.kafka.security._TOKEN_SECONDS", 0.2)
    file = tmp_path / "secret"
    good = "secret-of-web" if trouble == "password file" else unsigned_token("web")
    file.write_text(good)

    async def token() -> str:
        if file.read_text("latin-1") == good:
            return good
        if trouble == "hangs":
            await asyncio.sleep(60)
        raise LookupError

    log_in = {
        "token file": SaslTokens.from_file(file),
        "password file": SaslPassword("web", file=file),
    }.get(trouble, SaslTokens(token))
    known = Security(Tls(kafka.authority.file), log_in).arguments(kafka.login)
    client = AIOKafkaClient(bootstrap_servers=kafka.login, **known)
    try:
        async with asyncio.timeout(20):
            await client.bootstrap()
            file.write_bytes(b"half a letter \xc3")  # as of a writer that is not done
            assert await client.force_metadata_update() is False
            file.write_text(good)
            while not await client.force_metadata_update():  # noqa: ASYNC110 - it asks anew
                await asyncio.sleep(0.05)
    finally:
        await client.close()


async def test_what_gives_no_secret_is_named_and_what_it_holds_is_not_shown(
    kafka: Secured, tmp_path: Path
) -> None:
    file, tls = tmp_path / "password", Tls(kafka.authority.file)
    file.write_bytes(b"hunter2\xff")

    async def broken() -> str:
        raise LookupError("hunter2")

    by_token = await told(kafka.login, Security(tls, SaslTokens(broken)))
    by_file = await told(kafka.login, Security(tls, SaslPassword("web", file=file)))

    assert "the token provider raised LookupError" in by_token
    assert f"{file} is not UTF-8" in by_file
    assert "hunter2" not in by_token + by_file
