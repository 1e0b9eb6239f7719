"""A secret is in no file of the broker, of PostgreSQL or of the log, in no form; an address only in
PostgreSQL and on the topic of users' states.
"""

import base64
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from authbus.client.asking import Asker
from authbus.contract import ROWS
from authbus.message import Command, Reply
from authbus_service.core.database import connect
from authbus_service.embedded import Addresses
from tests.rig.canary import forms, sightings
from tests.rig.life import a_secret
from tests.rig.living import living

STATE = "auth.state.users.v1-"
COMMANDS = "auth.commands.credentials.v1"


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("behind", [b"", b"z", b"zy"])
def test_a_text_is_found_in_each_form_whatever_stands_beside_it(
    tmp_path: Path, before: bytes, behind: bytes
) -> None:
    canary = a_secret()
    whole = before + canary.encode() + behind
    encodings = [
        whole,
        whole.hex().encode(),
        base64.b64encode(whole),
        base64.urlsafe_b64encode(whole),
        canary.replace("+", "%2B").replace("/", "%2F").encode(),
    ]
    for number, encoded in enumerate(encodings):
        (tmp_path / f"{number}.bin").write_bytes(b"\x01..." + encoded + b"\xff")

    assert {path for _, path in sightings(tmp_path, {"it": canary})} == {
        f"{number}.bin" for number in range(len(encodings))
    }
    assert sightings(tmp_path, {"other": a_secret()}) == set()
    assert all(len(form) >= len(canary) - 2 for form in forms(canary))


@pytest.mark.slow
async def test_secrets_are_in_no_file_and_personal_data_only_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = {"on a topic": a_secret(), "in a table": a_secret()}
    asked = recorded(monkeypatch)

    async with living(tmp_path) as (life, addresses):
        await life.lived()
        await plant(addresses, planted["on a topic"], planted["in a table"])

    seen = sightings(tmp_path, {**life.secrets, **planted, **life.personal})
    places = {name: {path for each, path in seen if each == name} for name, _ in seen}
    assert any(COMMANDS in path for path in places.pop("on a topic"))
    assert any("postgres" in path for path in places.pop("in a table"))
    assert {row.command for row in ROWS} - asked == set()
    assert {name for name in life.secrets if name in places} == set()
    for name in ("address 0", "device 1", "ip 2"):
        assert any("postgres" in path for path in places[name])
    assert any(STATE in path for path in places["address 0"])
    elsewhere = {path for paths in places.values() for path in paths if STATE not in path}
    assert {path for path in elsewhere if "postgres" not in path} == set()


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[type[Command]]:
    """The kinds of commands that a client sends from now on."""
    asked: set[type[Command]] = set()
    ask = Asker.ask

    async def noting(self: Asker, command: Command, **rest: Any) -> Reply:
        asked.add(type(command))
        return await ask(self, command, **rest)

    monkeypatch.setattr(Asker, "ask", noting)
    return asked


async def plant(addresses: Addresses, on_a_topic: str, in_a_table: str) -> None:
    """Proof that the search can see: one text in the broker's files, one in PostgreSQL's."""
    producer = AIOKafkaProducer(bootstrap_servers=addresses.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(COMMANDS, on_a_topic.encode())
    await producer.stop()
    database = connect(addresses.database_url)
    async with database.transaction() as db:
        await db.execute(text("CREATE TABLE planted (it text)"))
        await db.execute(text("INSERT INTO planted VALUES (:it)"), {"it": in_a_table})
    await database.close()
