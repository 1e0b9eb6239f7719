"""What the runbook says ends well on a service that is well, but for what is run elsewhere."""

import json
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from authbus_service.core.database import Database
from tests.integration.cli.conftest import Authbus, Serve
from tests.rig.operating import settings_of
from tests.rig.runbook import ELSEWHERE, named, programs
from tests.rig.world import World

pytestmark = pytest.mark.slow


async def test_what_the_runbook_looks_at_is_well_where_all_is_well(
    authbus: Authbus, world: World
) -> None:
    settings = await settings_of(world)
    asked = [each for each in named() if " ".join(each) not in ELSEWHERE]

    ended = [await authbus(*each, **settings) for each in asked]

    assert ["doctor"] in asked
    assert ["topics", "check"] in asked
    bad = {
        " ".join(each): (end.status, end.err)
        for each, end in zip(asked, ended, strict=True)
        if end.status
    }
    assert bad == {}


async def test_postgresql_answers_what_the_runbook_asks_it(database: Database) -> None:
    asked = [each for each in programs() if each.startswith("SELECT ") and "(PID)" not in each]

    async with database.reading() as db:
        answers = {each: (await db.execute(text(each))).all() for each in asked}

    (tables,) = (rows for each, rows in answers.items() if "pg_total_relation_size" in each)
    assert len(asked) == 7
    assert len(tables) == 10


async def test_a_service_says_at_the_runbooks_address_why_it_is_not_ready_and_what_is_unfinished(
    serve: Serve, given: dict[str, str]
) -> None:
    (command,) = (each for each in programs() if each.startswith("curl "))

    async with serve(**given) as service:
        answer = json.loads(service.get_text(urlsplit(command.split()[-1]).path))

    assert answer.keys() >= {"ready", "reasons", "database", "relay", "consumers"}
    assert all("oldest_unfinished" in each for each in answer["consumers"].values())
