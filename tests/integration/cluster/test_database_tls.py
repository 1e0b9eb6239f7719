"""PostgreSQL is spoken to as `sslmode` in the address says, by every connection of the service."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text

from authbus_service.core.database import Database
from authbus_service.relay.notifications import listen
from authbus_service.startup.database import bring_to_newest, open_database, require_newest
from authbus_service.startup.errors import StartupError
from tests.rig.encrypted import encrypted
from tests.rig.pki import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def certificate(authority: Authority) -> Path:
    return authority.issue("postgres")


@pytest.fixture
async def behind_tls(database_url: str, certificate: Path) -> AsyncIterator[URL]:
    async with encrypted(make_url(database_url), certificate) as url:
        yield url


def opened(url: URL, **query: str) -> Database:
    return open_database(url.update_query_dict(query).render_as_string(hide_password=False))


async def test_verify_full_is_kept_by_migrations_queries_and_notifications(
    behind_tls: URL, authority: Authority
) -> None:
    database = opened(behind_tls, sslmode="verify-full", sslrootcert=str(authority.file))
    heard = asyncio.Event()

    await bring_to_newest(database)
    listening = asyncio.create_task(listen(database, "said", heard.set))
    await asyncio.wait_for(heard.wait(), 5)
    heard.clear()
    async with database.transaction() as db:
        await db.execute(text("NOTIFY said"))
    await asyncio.wait_for(heard.wait(), 5)

    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await database.close()


@pytest.mark.parametrize("mode", ["disable", "verify-full", "verify-ca"])
async def test_a_database_that_proves_nothing_is_refused_with_the_reason(
    behind_tls: URL, tmp_path: Path, mode: str
) -> None:
    stranger = Authority(tmp_path, "stranger")
    checks = {} if mode == "disable" else {"sslrootcert": str(stranger.file)}
    database = opened(behind_tls, sslmode=mode, **checks)

    with pytest.raises(StartupError, match=r"cannot be used: .*(CERTIFICATE_VERIFY_FAILED|clos)"):
        await require_newest(database)

    await database.close()


async def test_verify_full_looks_at_the_host_and_verify_ca_does_not(
    behind_tls: URL, authority: Authority
) -> None:
    elsewhere = behind_tls.set(host="localhost")
    ca = str(authority.file)
    full, chain = (
        opened(elsewhere, sslmode=each, sslrootcert=ca) for each in ("verify-full", "verify-ca")
    )

    with pytest.raises(StartupError, match="Hostname mismatch"):
        await require_newest(full)
    await bring_to_newest(chain)

    await full.close()
    await chain.close()


async def test_a_ca_that_is_replaced_counts_at_the_next_connection(
    behind_tls: URL, authority: Authority, certificate: Path, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.file.read_bytes())
    database = opened(behind_tls, sslmode="verify-full", sslrootcert=str(ca))
    await bring_to_newest(database)
    successor = Authority(tmp_path, "successor")
    successor.issue("postgres", into=certificate)
    await database.engine.dispose()
    with pytest.raises(StartupError, match="CERTIFICATE_VERIFY_FAILED"):
        await require_newest(database)

    ca.write_bytes(successor.file.read_bytes())

    await require_newest(database)
    await database.close()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sslmode=verify_full", "sslmode must be one of"),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem: No such file"),
        ("sslrootcert=/ca.pem", "need sslmode=verify-full"),
    ],
)
def test_an_address_that_asks_for_what_cannot_be_is_refused(query: str, said: str) -> None:
    with pytest.raises(StartupError, match=said):
        open_database(f"postgresql://user:hunter2@db/authbus?{query}")
