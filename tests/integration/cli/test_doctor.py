"""`authbus doctor` finds what is wrong, says what mends it, and changes nothing."""

import asyncio
import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from authbus.topics import AUDIT, CREDENTIALS, DAY_MS, KEYS_STATE, SESSIONS
from authbus_service.consumers.intakes import groups_of
from authbus_service.core import clock
from tests.rig.patient import Patient
from tests.rig.risks import (
    a_strangers_keys,
    commit_asynchronously,
    fix_compression,
    say_keys,
    set_otherwise,
)
from tests.rig.topics import remove

ALL = (
    *("master key", "topics", "backup", "rights", "mails"),
    *("database", "installation", "keys", "fence", "durability", "transactions"),
    *("clock", "inbox", "trust"),
)
USUAL = {"rights", "mails", "durability", "trust"}


async def test_an_installation_in_order_is_found_to_be(patient: Patient) -> None:
    ended = await patient.authbus("doctor", **patient.settings)

    found = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 0
    assert tuple(each["what"] for each in found) == ALL
    # The tests' database does not wait for the disk, and their Kafka lets everybody in.
    warned = [each["what"] for each in found if each["state"] != "ok"]
    assert warned == ["rights", "mails", "durability", "trust"]


async def test_a_backup_that_is_older_than_the_commands_is_found(patient: Patient) -> None:
    now = datetime.now(UTC)
    young, old = now - timedelta(days=6, hours=23), now - timedelta(days=7, hours=1)

    found = await patient.seen(young)
    ended = await patient.authbus(
        *("doctor", "--backup-from", f"{old:%Y-%m-%dT%H:%M:%S}"), **patient.settings
    )

    assert found.keys() == USUAL
    assert ended.status == 1
    (fault,) = [
        line for line in map(json.loads, ended.out.splitlines()) if line["state"] == "fault"
    ]
    assert fault["what"] == "backup"
    assert "are gone" in fault["says"]
    assert "authbus recover --report" in fault["says"]


async def test_mails_that_would_only_wait_are_found(patient: Patient) -> None:
    without = await patient.seen()
    with_them = await patient.seen(
        AUTHBUS_SMTP_URL="smtps://mail.example.com",
        AUTHBUS_MAIL_FROM="Example <no-reply@example.com>",
        AUTHBUS_LINK_BASE_URL="https://app.example.com",
    )

    assert without["mails"][0] == "warning"
    assert "set AUTHBUS_SMTP_URL" in without["mails"][1]
    assert with_them.keys() == USUAL - {"mails"}


@pytest.mark.parametrize(
    ("statement", "what", "says"),
    [
        ("UPDATE installation SET recovering = true", "installation", "Run: authbus recover"),
        ("UPDATE installation SET cluster_id = 'other'", "installation", "AUTHBUS_NAMESPACE"),
        ("UPDATE installation SET namespace = 'other'", "installation", "AUTHBUS_NAMESPACE"),
        (
            "ALTER TABLE installation RENAME TO elsewhere",
            "installation",
            "DATABASE_URL right, and",
        ),
        ("UPDATE alembic_version SET version_num = '0000'", "database", "authbus migrate"),
    ],
)
async def test_a_database_that_is_not_as_it_must_be_is_found(
    patient: Patient, statement: str, what: str, says: str
) -> None:
    await patient.sql(statement)

    found = await patient.seen()

    assert found.keys() == {what, *USUAL} - ({"durability"} if what == "database" else set())
    assert found[what][0] == "fault"
    assert says in found[what][1]


async def test_another_master_key_is_found(patient: Patient) -> None:
    other = base64.b64encode(os.urandom(32)).decode()

    found = await patient.seen(AUTHBUS_MASTER_KEY=other)

    assert found["keys"][0] == "fault"
    assert other not in str(found)


async def test_no_master_key_is_found_with_what_makes_one(patient: Patient) -> None:
    found = await patient.seen(AUTHBUS_MASTER_KEY="")

    assert found["master key"][0] == "fault"
    assert found["master key"][1].endswith("is needed. Make one with: authbus keys new")


@pytest.mark.parametrize("where", ["AUTHBUS_MASTER_KEY", "AUTHBUS_MASTER_KEY_FILE"])
async def test_a_weak_master_key_is_found_with_what_makes_another(
    patient: Patient, tmp_path: Path, where: str
) -> None:
    zeros = base64.b64encode(bytes(32)).decode()
    (tmp_path / "master.key").write_text(zeros)
    weak = {"AUTHBUS_MASTER_KEY": zeros}
    if where == "AUTHBUS_MASTER_KEY_FILE":
        weak = {"AUTHBUS_MASTER_KEY": "", where: str(tmp_path / "master.key")}

    ended = await patient.authbus("doctor", **{**patient.settings, **weak})

    assert ended.status == 1
    assert "a master key is not random. Make one with: authbus keys new" in ended.out + ended.err
    assert zeros not in ended.out + ended.err


async def test_a_missing_topic_is_found_with_what_makes_it(patient: Patient) -> None:
    name = AUDIT.name(patient.settings["AUTHBUS_NAMESPACE"])
    await remove(patient.settings["KAFKA_BOOTSTRAP_SERVERS"], name)

    found = await patient.seen()

    assert found.keys() == {"topics", "mails", "durability"}
    assert "authbus topics apply" in found["topics"][1]


async def test_what_a_service_can_live_with_and_somebody_should_know_is_found(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers, namespace = patient.place
    sessions = await set_otherwise(*patient.place, SESSIONS, "retention.ms", str(10 * DAY_MS))
    await commit_asynchronously(patient.database)
    await say_keys(servers, namespace, [*patient.keyring.public_records(), *a_strangers_keys()])
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(seconds=5))

    found = await patient.seen()

    assert {what for what, (state, _) in found.items() if state == "fault"} == {"topics"}
    assert found.keys() == USUAL | {"topics", "clock", "inbox"}
    assert (
        "Turn on at PostgreSQL: fsync, full_page_writes, synchronous_commit"
        in found["durability"][1]
    )
    apart, _, cure = found["clock"][1].partition(" s from the database's. ")
    assert 3 < float(apart) < 6
    assert cure == "Synchronise both (NTP)"
    assert f"records of {sessions} are kept longer" in found["inbox"][1]
    assert f"2 keys on {KEYS_STATE.name(namespace)} are not ours" in found["trust"][1]


async def test_the_session_that_keeps_verifiers_from_what_has_ended_is_named(
    patient: Patient,
) -> None:
    async with patient.database.engine.connect() as db:
        await db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await db.execute(text("SELECT pg_current_xact_id()"))
        pid = await db.scalar(text("SELECT pg_backend_pid()"))
        young = await patient.seen()
        await asyncio.sleep(5.5)
        found = await patient.seen()

    assert young.keys() == USUAL
    assert found.keys() == USUAL | {"transactions"}
    state, says = found["transactions"]
    assert state == "warning"
    assert f"session {pid} of PostgreSQL (authbus, idle in transaction)" in says
    assert says.endswith(f"SELECT pg_terminate_backend({pid})")


async def test_a_setting_of_a_topic_that_brokers_may_fix_is_a_warning(patient: Patient) -> None:
    topic = await fix_compression(*patient.place)

    found = await patient.seen()

    assert found["topics"][0] == "warning"
    assert f"{topic}: compression.type is gzip" in found["topics"][1]
    assert found.keys() == USUAL | {"topics"}


async def test_a_database_that_went_back_is_found(patient: Patient) -> None:
    servers, namespace = patient.place
    (group, *_) = groups_of(namespace)
    place = TopicPartition(CREDENTIALS.name(namespace), 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: 7})
    await consumer.stop()

    found = await patient.seen()

    assert found["fence"][0] == "fault"
    assert "committed up to 7, the database knows 0" in found["fence"][1]
    assert "Run: authbus recover" in found["fence"][1]
