"""The first administrator by the command line, and what they do for others."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from authbus import AuthClient, Verifier
from authbus.errors import AuthRejected, PermissionMissing, TokenRevoked
from tests.e2e.conftest import Serving
from tests.rig.command_line import authbus

TAKEN = (
    "authbus: there is an account with this address. "
    "`authbus users show` looks at it, `authbus users grant` gives it a role once its user has "
    "shown that the address is theirs\n"
)
UNVERIFIED = (
    "authbus: nobody has shown that this address is theirs: the password may be a stranger's. "
    "`authbus users reset-password` takes it away and mails its user how to set another, which "
    "shows it. Say --unverified for an account that you made yourself\n"
)
ROOT, ANA, PASSWORD = "root@example.com", "ana@example.com", "correct horse battery"


async def users_command(serving: Serving, *arguments: str, given: str = "") -> tuple[int, str, str]:
    return await authbus(serving.settings, "users", *arguments, "--client", "web", given=given)


async def granted(serving: Serving, user_id: UUID, role: str) -> tuple[str, ...]:
    """The roles of somebody to whom an operator has given this one."""
    grant = "grant", str(user_id), role, "--unverified"
    status, out, err = await users_command(serving, *grant)
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["user_id"] == str(user_id)
    return tuple(told["roles"])


async def test_the_first_administrator_or_an_operator_gives_a_role_that_a_verifier_asks_for(
    serving: Serving,
) -> None:
    create = "create", "--admin", ROOT
    made, again = [await users_command(serving, *create, given=f"{PASSWORD}\n") for _ in range(2)]
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with (
        AuthClient(serving.servers, client_id="web", **where) as auth,
        Verifier(serving.servers, audience="web", **where) as verifier,
    ):
        ana = await auth.register(ANA, PASSWORD)
        root = (await auth.log_in(ROOT, PASSWORD)).access_token
        before = (await auth.log_in(ANA, PASSWORD)).access_token
        roles = await auth.admin.grant_role(root, ana.user_id, "clerk")
        after = (await auth.log_in(ANA, PASSWORD)).access_token
        with pytest.raises(AuthRejected, match="forbidden"):
            await auth.admin.deactivate(after, ana.user_id)

        claims = verifier.require(after, "orders:write")
        with pytest.raises(PermissionMissing):
            verifier.require(before, "orders:write")
        await auth.admin.deactivate(root, ana.user_id, reason="dormant")
        await until_revoked(verifier, after)
        await auth.admin.reactivate(root, ana.user_id)
        assert await auth.admin.revoke_role(root, ana.user_id, "clerk") == ()
        by_operator = await granted(serving, ana.user_id, "clerk")
        verifier.require((await auth.log_in(ANA, PASSWORD)).access_token, "orders:write")

    assert (made[0], json.loads(made[1])["roles"]) == (0, ["admin"])
    assert again == (1, "", TAKEN)
    assert PASSWORD not in "".join(made[1:])
    assert verifier.verify(root).user_id == UUID(json.loads(made[1])["user_id"])
    assert roles == claims.roles == by_operator == ("clerk",)


async def test_no_role_is_given_to_a_stranger_who_registered_somebody_elses_address(
    serving: Serving,
) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        await auth.register(ROOT, PASSWORD)
        create = await users_command(serving, "create", "--admin", ROOT, given=f"{PASSWORD}\n")
        refused = await users_command(serving, "grant", ROOT, "admin")
        cure = await users_command(serving, "reset-password", ROOT)
        with pytest.raises(AuthRejected, match="invalid_credentials"):
            await auth.log_in(ROOT, PASSWORD)
        still = await users_command(serving, "grant", ROOT, "admin")
        async with serving.database.transaction() as db:  # as by the code of the mail
            await db.exec_driver_sql("UPDATE users SET email_verified = true")
        shown = await users_command(serving, "grant", ROOT, "admin")

    assert create == (1, "", TAKEN)
    assert refused == still == (1, "", UNVERIFIED)
    assert (cure[0], json.loads(shown[1])["roles"]) == (0, ["admin"])


async def test_a_machine_which_has_no_address_to_show_is_given_a_role(serving: Serving) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    await users_command(serving, "create", "--admin", ROOT, given=f"{PASSWORD}\n")
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        root = (await auth.log_in(ROOT, PASSWORD)).access_token
        machine = await auth.services.create(root, "a mill")

    given = await users_command(serving, "grant", str(machine.user_id), "clerk")

    assert json.loads(given[1])["roles"] == ["clerk"]


async def until_revoked(verifier: Verifier, token: str) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                verifier.verify(token)
            except TokenRevoked:
                return
            await asyncio.sleep(0.02)


async def test_a_file_of_another_systems_users_is_imported_and_its_second_run_changes_nothing(
    serving: Serving, tmp_path: Path
) -> None:
    hashed = "pbkdf2_sha1$4096$salt$SwB5AbdlSJq+rUnZJvch0GWkKcE="
    users: list[dict[str, Any]] = [
        {"email": f"user{each}@example.com", "password_hash": hashed, "email_verified": True}
        for each in range(200)
    ]
    lines = [json.dumps(each) for each in users]
    costly = json.dumps({"email": "costly@example.com", "password_hash": "$2b$31$" + 53 * "a"})
    file = tmp_path / "users.jsonl"
    file.write_text("\n".join([*lines, "", costly, '{"email": 7}', "no json"]))

    first = await users_command(serving, "import", str(file))
    second = await users_command(serving, "import", str(file))
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with AuthClient(serving.servers, client_id="web", **where) as auth:
        session = await auth.log_in("user199@example.com", "password")

    assert auth.verify(session.access_token).user_id == session.user_id
    counts = {"imported": 200, "there_already": 0, "refused": 3, "unanswered": 0}
    assert (first[0], json.loads(first[1])) == (1, counts)
    assert json.loads(second[1]) == {**counts, "imported": 0, "there_already": 200}
    told = first[2].splitlines()
    assert "line 202: password_hash_refused: bcrypt cost: 4 to 14" in told
    assert {each.partition(":")[0] for each in told[:3]} == {"line 202", "line 203", "line 204"}
    assert "example.com" not in first[2]
