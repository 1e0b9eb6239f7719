"""`authbus users`: all that an administrator may do about a user, by the master key."""

import asyncio
import json
from typing import Any

import pytest

from authbus import AuthClient
from authbus.errors import AuthRejected
from tests.e2e.conftest import Serving
from tests.rig.command_line import authbus
from tests.rig.runbook import commands

ANA, PASSWORD = "ana@example.com", "correct horse battery"
# Two dozen sessions of such devices are more than an answer takes.
LONGEST = "\U0001f600" * 200


async def users(serving: Serving, *arguments: str, given: str = "") -> tuple[int, Any, str]:
    status, out, err = await authbus(
        serving.settings, "users", *arguments, "--client", "web", given=given
    )
    return status, json.loads(out) if out.startswith("{") else out, err


async def refused(auth: AuthClient) -> str:
    """With which code Ana's log-in is refused."""
    with pytest.raises(AuthRejected) as caught:
        await auth.log_in(ANA, PASSWORD)
    return caught.value.code


@pytest.mark.slow
async def test_an_operator_does_what_an_administrator_may(serving: Serving) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        ana = await auth.register(ANA, PASSWORD)
        id_ = {"user_id": str(ana.user_id)}
        await auth.log_in(ANA, PASSWORD)

        status, shown, _ = await users(serving, "show", ANA)
        assert (status, shown["email"], shown["status"], shown["sessions"]) == (0, ANA, "active", 1)

        deactivated = await users(serving, "deactivate", ANA, "--reason", "abuse")
        assert deactivated == (0, {**id_, "status": "deactivated", "sessions_ended": 1}, "")
        assert await refused(auth) == "invalid_credentials"
        assert (await users(serving, "reactivate", ANA))[:2] == (0, {**id_, "status": "active"})
        await auth.log_in(ANA, PASSWORD)

        given = await users(serving, "grant", ANA, "clerk", "--unverified")
        assert given[1] == {**id_, "roles": ["clerk"]}
        assert (await users(serving, "revoke", ANA, "clerk"))[1] == {**id_, "roles": []}
        assert (await users(serving, "unlock", ANA))[:2] == (0, {**id_, "locked": False})
        factor = await users(serving, "reset-second-factor", str(ana.user_id))
        assert factor == (0, {**id_, "second_factor": False}, "")

        reset = await users(serving, *commands("Somebody else is in an account")[2][1:])
        assert reset == (0, {**id_, "sessions_ended": 1}, "")
        assert await refused(auth) == "invalid_credentials"


@pytest.mark.slow
async def test_an_operator_finds_who_has_an_address_that_begins_so(serving: Serving) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    emails = [f"find-{n:03}@example.com" for n in range(103)]
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        await asyncio.gather(*(auth.register(email, PASSWORD, timeout=60) for email in emails))
    await users(serving, "deactivate", emails[7])

    async def found(*arguments: str) -> tuple[list[Any], str]:
        arguments = ("users", "find", *arguments, "--client", "web")
        status, out, err = await authbus(serving.settings, *arguments)
        assert status == 0
        return [json.loads(line) for line in out.splitlines()], err

    rows, said = await found("FIND-", "--limit", "200")
    assert ([row["email"] for row in rows], said) == (emails, "")
    assert await found("find-", "--limit", "101") == (
        rows[:101],
        "there are more than these 101: say a longer PREFIX, or --limit\n",
    )
    assert await found("find-", "--status", "deactivated") == ([rows[7]], "")
    assert await found("nobody-") == ([], "there is no such account\n")


@pytest.mark.slow
async def test_an_operator_exports_and_erases_a_user_once_somebody_is_sure(
    serving: Serving,
) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        ana = await auth.register(ANA, PASSWORD)
        made = [
            await auth.log_in(ANA, PASSWORD, device=LONGEST, ip_address=LONGEST) for _ in range(30)
        ]

    ids = sorted(str(each.session_id) for each in made)
    status, export, _ = await users(serving, "export", ANA)
    assert (status, export["user_id"]) == (0, str(ana.user_id))
    assert export.keys() == {"user_id", "exported_at", "tables"}
    assert export["tables"]["users"][0]["email"] == ANA
    assert sorted(row["id"] for row in export["tables"]["sessions"]) == ids
    assert (await users(serving, "show", ANA))[1]["sessions"] == len(ids)
    listed = await authbus(serving.settings, "sessions", "list", ANA, "--client", "web")
    assert sorted(json.loads(line)["session_id"] for line in listed[1].splitlines()) == ids

    unsure = await users(serving, "erase", ANA, given="n\n")
    assert unsure[0] == 1
    assert f"{ana.user_id} is as before" in unsure[2]
    status, receipt, _ = await users(serving, "erase", ANA, "--yes")
    assert status == 0
    assert receipt.keys() == {"user_id", "sessions_ended", "commands_gone_at"}
    status, _, said = await users(serving, "show", str(ana.user_id))
    cure = "Look the id up (`FindUsers`): the account may be erased."
    assert (status, said) == (1, f"authbus: user_unknown: There is no such user. {cure}\n")
