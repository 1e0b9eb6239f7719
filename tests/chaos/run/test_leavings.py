"""Whatever a run leaves is looked through for secrets, in whatever column it is."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.chaos.run.leavings import logged, stored
from tests.rig.canary import Scanner

SECRET = "staple 4711 together"
TABLES = f"""
CREATE TABLE of_text (n int, held text);
INSERT INTO of_text VALUES (1, 'x'), (2, '{SECRET}');
CREATE TABLE of_bytes (held bytea);
INSERT INTO of_bytes VALUES ('{SECRET}');
CREATE TABLE of_base64 (held bytea);
INSERT INTO of_base64 VALUES ('{b64encode(SECRET.encode()).decode()}');
CREATE TABLE of_json (held jsonb);
INSERT INTO of_json VALUES ('{json.dumps({"of": [SECRET]})}');
CREATE TABLE of_several (held bytea[]);
INSERT INTO of_several VALUES (ARRAY['x'::bytea, '{SECRET}'::bytea]);
CREATE TABLE whole (n int, held text) PARTITION BY LIST (n);
CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
INSERT INTO whole VALUES (1, '{SECRET}');
CREATE TABLE of_nothing (held text);
INSERT INTO of_nothing VALUES (NULL), ('x');
"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    url = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    await connection.execute(TABLES)
    yield connection
    await connection.close()


async def test_a_secret_is_found_in_any_table_and_kind_of_column(db: asyncpg.Connection) -> None:
    scanner = Scanner([SECRET])

    held = {name for name, text in (await stored(db)).items() if scanner.held(text)}

    columns = ("text", "bytes", "base64", "json", "several")
    assert held == {*(f"table of_{each}" for each in columns), "table part"}


def test_the_words_to_a_person_are_looked_through_and_are_no_json(tmp_path: Path) -> None:
    (tmp_path / "service0.log").write_text('{"event":"starts"}\nauthbus: cannot connect at x\n')
    (tmp_path / "service1.log").write_text('{"event":"stops"}\nTraceback\n')

    lines, words = logged(tmp_path)

    assert lines == ['{"event":"starts"}', '{"event":"stops"}', "Traceback"]
    assert words == b"authbus: cannot connect at x"
