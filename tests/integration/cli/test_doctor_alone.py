"""`authbus doctor` looks at what is there while PostgreSQL or Kafka is away."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.rig.patient import Patient


@pytest.mark.parametrize(
    "gone",
    [
        "{server}/nowhere",
        "127.0.0.1:1/authbus",
        "{server}/authbus?sslmode=verify-full&sslrootcert=/gone/ca.crt",
    ],
)
async def test_a_backup_is_judged_while_the_database_is_lost_and_its_password_is_not_told(
    patient: Patient, gone: str
) -> None:
    login, _, server = patient.settings["DATABASE_URL"].rpartition("/")[0].rpartition("@")
    old = datetime.now(UTC) - timedelta(days=7, hours=1)

    found = await patient.seen(old, DATABASE_URL=f"{login}@{gone.format(server=server)}")

    faults = {what for what, (state, _) in found.items() if state == "fault"}
    assert faults == {"backup", "database"}
    assert "are gone" in found["backup"][1]
    assert login.rpartition(":")[2] not in str(found)


async def test_while_kafka_is_away_the_database_and_the_keys_are_looked_at(
    patient: Patient,
) -> None:
    other = base64.b64encode(os.urandom(32)).decode()
    away = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "AUTHBUS_MASTER_KEY": other}

    ended = await patient.authbus("doctor", **{**patient.settings, **away})

    found = {each["what"]: each for each in map(json.loads, ended.out.splitlines())}
    assert ended.status == 1
    assert [*found] == [
        "master key",
        "topics",
        "mails",
        "database",
        "keys",
        "durability",
        "transactions",
        "clock",
    ]
    assert {each for each in found if found[each]["state"] == "fault"} == {"topics", "keys"}
    assert "KAFKA_BOOTSTRAP_SERVERS" in found["topics"]["says"]
