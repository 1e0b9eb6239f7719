"""schemas/examples/shell: kcat, jq, OpenSSL and `python -m authbus`."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import Serving
from tests.rig import foreign, rotating
from tests.rig.phantom import aborted_and_committed

pytestmark = [pytest.mark.interop, pytest.mark.timeout(200)]

SOURCE = foreign.EXAMPLES / "shell"
REGISTERS = """set -euo pipefail; source ./authbus.sh
printf '{"email": "ana@example.com", "password": "correct horse battery"}' | ask RegisterUser"""


@pytest.fixture
def places(places: Mapping[str, str]) -> Mapping[str, str]:
    """The same, where `python` has authbus, as for whoever follows the example."""
    return {**places, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


async def test_a_shell_registers_logs_in_refreshes_is_refused_and_logs_out(
    places: Mapping[str, str],
) -> None:
    told = await foreign.run("./login.sh", folder=SOURCE, environment=places)

    foreign.is_a_life(told)


async def test_a_shell_seals_to_the_new_key_where_the_one_before_is_gone(
    places: Mapping[str, str], serving: Serving
) -> None:
    await rotating.replaced(serving.database, serving.settings["AUTHBUS_MASTER_KEY"], serving.http)

    told = await foreign.run("bash", "-c", REGISTERS, folder=SOURCE, environment=places)

    assert json.loads(told[0])["type"] == "authbus.Registered.v1"


async def test_a_shell_seals_nothing_for_a_key_of_another_root(
    places: Mapping[str, str],
) -> None:
    told = foreign.of_another_root(places)
    error = await foreign.failed("./login.sh", folder=SOURCE, environment=told)

    assert "signed by another root key" in error


async def test_a_shell_reads_committed_events_alone_in_their_users_order(
    places: Mapping[str, str],
) -> None:
    told = await foreign.run("./login.sh", folder=SOURCE, environment=places)
    user, namespace = told[0].split(" ")[1], places["AUTHBUS_NAMESPACE"]
    never, real = await aborted_and_committed(places["KAFKA_BOOTSTRAP_SERVERS"], namespace)

    heard = await foreign.run("./events.sh", folder=SOURCE, environment=places)

    assert [line for line in heard if f" {user} " in line] == foreign.events_of(user)
    assert f"authbus.UserCreated.v1 {real} 1" in heard
    assert str(never) not in " ".join(heard)
