"""Users are taken along to a new installation, by what the runbook asks the old one's database."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from authbus import AuthClient
from tests.e2e.conftest import Serving
from tests.rig.command_line import authbus
from tests.rig.runbook import programs

ANA, BEN, PASSWORD = "ana@example.com", "ben@example.com", "correct horse battery"


@pytest.mark.slow
async def test_what_the_old_database_tells_is_what_users_are_imported_from(
    serving: Serving, tmp_path: Path
) -> None:
    (asked,) = (each for each in programs() if each.startswith("SELECT") and "FROM users" in each)
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    as_web = ("--client", "web")
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        ana = await auth.register(ANA, PASSWORD)
        session = await auth.log_in(ANA, PASSWORD)
        await auth.profile.update(
            session.access_token, 0, display_name="Ana", locale="pt", attributes={"size": 1.5}
        )
        ben = await auth.register(BEN, PASSWORD)
        await authbus(serving.settings, "users", "deactivate", str(ben.user_id), *as_web)

        async with serving.database.reading() as db:
            lines = [json.dumps(each) for each in await db.scalars(text(asked))]
        file = tmp_path / "users.jsonl"
        file.write_text("\n".join(lines), encoding="utf-8")
        await authbus(serving.settings, "users", "erase", ANA, "--yes", *as_web)
        status, out, err = await authbus(serving.settings, "users", "import", str(file), *as_web)
        assert (status, json.loads(out)["imported"]) == (0, 1), err
        again = await auth.log_in(ANA, PASSWORD)
        profile = (await auth.profile.get(again.access_token)).profile

    assert [json.loads(each)["email"] for each in lines] == [ANA], "who is shut stays out"
    assert again.user_id != ana.user_id
    assert (profile.display_name, profile.locale) == ("Ana", "pt")
    assert profile.attributes == {"size": 1.5}
