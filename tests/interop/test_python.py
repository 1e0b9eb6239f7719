"""A Python program that has a JOSE library and not our client: schemas/examples."""

import sys
from collections.abc import Mapping

import pytest

from tests.e2e.conftest import Serving
from tests.rig import foreign, rotating

pytestmark = [pytest.mark.interop, pytest.mark.timeout(200)]


async def test_python_by_hand_seals_to_the_new_key_where_the_one_before_is_gone(
    places: Mapping[str, str], serving: Serving
) -> None:
    await rotating.replaced(serving.database, serving.settings["AUTHBUS_MASTER_KEY"], serving.http)

    command = (sys.executable, "register_by_hand.py")
    told = await foreign.run(*command, folder=foreign.EXAMPLES, environment=places)

    assert "authbus.Registered.v1" in told[0]
