"""Commands of the runbook that change nothing or little end well on a service that is well."""

import pytest

from tests.integration.cli.conftest import Authbus
from tests.rig.operating import settings_of
from tests.rig.runbook import named
from tests.rig.world import World

# Other tests make what there is to be done: test_guarded, test_replaying, test_masters, tests/e2e.
ELSEWHERE = {"acls", "recover", "replay", "sessions"}
OF_ANOTHER_TIME = {"--backup-from", "show", "discard", "replace-master"}


@pytest.mark.gate
async def test_what_the_runbook_looks_at_is_well_where_all_is_well(
    authbus: Authbus, world: World
) -> None:
    settings = await settings_of(world)
    asked = [
        each
        for each in named()
        if each[0] not in ELSEWHERE and not OF_ANOTHER_TIME.intersection(each)
    ]

    ended = [await authbus(*each, **settings) for each in asked]

    assert ["doctor"] in asked
    assert ["topics", "check"] in asked
    bad = {
        " ".join(each): (end.status, end.err)
        for each, end in zip(asked, ended, strict=True)
        if end.status
    }
    assert bad == {}
