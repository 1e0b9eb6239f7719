"""`authbus sessions`: an operator sees and ends a user's, at a running service."""

import asyncio
import json
from typing import Any

from authbus import AuthClient, Verifier
from tests.e2e.conftest import Serving
from tests.e2e.test_administrator import until_revoked
from tests.rig.command_line import authbus
from tests.rig.runbook import commands

ANA, PASSWORD = "ana@example.com", "correct horse battery"


async def sessions(serving: Serving, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    status, out, err = await authbus(serving.settings, "sessions", *arguments, "--client", "web")
    return status, [json.loads(line) for line in out.splitlines()], err


async def test_an_operator_sees_a_users_sessions_ends_one_and_then_all(serving: Serving) -> None:
    where: dict[str, Any] = {"namespace": serving.namespace, "trust": serving.trust}
    async with (
        AuthClient(serving.servers, client_id="web", **where) as auth,
        Verifier(serving.servers, audience="web", **where) as verifier,
    ):
        ana = await auth.register(ANA, PASSWORD)
        first, second = [await auth.log_in(ANA, PASSWORD, device="phone") for _ in range(2)]

        ended = await sessions(serving, "end", str(first.session_id))
        await until_revoked(verifier, first.access_token)
        (status, rows, _), nobody = await asyncio.gather(
            *(sessions(serving, "list", whose) for whose in (str(ana.user_id), ANA[:-1]))
        )
        goes_on = verifier.verify(second.access_token).session_id
        all_ended = await sessions(serving, *commands("Somebody else is in an account")[1][1:])
        await until_revoked(verifier, second.access_token)

    assert ended == (0, [{"session_id": str(first.session_id), "ended": 1}], "")
    assert status == 0
    assert [(row["session_id"], row["how"], row["ended"] is None) for row in rows] == [
        (str(first.session_id), "admin", False),
        (str(second.session_id), "live", True),
    ]
    assert rows[0].keys() == {
        *("session_id", "user_id", "client", "kind", "proven_by", "begun", "last_refresh"),
        *("ends", "ended", "how"),
    }
    assert (rows[1]["client"], rows[1]["kind"]) == ("web", "person")
    assert goes_on == second.session_id
    assert all_ended == (0, [{"user_id": str(ana.user_id), "ended": 1}], "")
    assert nobody == (1, [], "authbus: nobody has this address. Look how it is written\n")
