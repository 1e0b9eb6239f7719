"""What a scrape tells after commands of every kind of end."""

from collections.abc import Iterator
from functools import partial

import pytest
from pydantic import SecretStr

from authbus.commands import GetProfile, LogIn, RegisterUser
from authbus_service.core.metrics import Metrics, Stage
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.watch import Watch
from tests.rig.scraping import counted
from tests.rig.world import World

EMAIL, PASSWORD = "ana@example.com", SecretStr("correct horse battery")


@pytest.fixture
def metrics(world: World) -> Iterator[Metrics]:
    """Those of the consumers and of the hashes that they ask for."""
    world.watch = watch = Watch(Metrics())
    world.hashes = HashPool(world.hashes.hasher, around=partial(watch.stage, Stage.HASH))
    yield watch.metrics
    world.hashes.close()


async def test_every_end_of_a_command_is_counted_once_by_type_and_outcome(
    world: World, metrics: Metrics
) -> None:
    web = world.web
    registered = web.draft(RegisterUser(email=EMAIL, password=PASSWORD))
    async with world.consuming():
        await web.ask(registered)
        await web.ask(registered)
        await web.ask(web.draft(LogIn(email=EMAIL, password=PASSWORD)))
        await web.ask(web.draft(LogIn(email=EMAIL, password=SecretStr("not this one"))))
        await web.ask(web.draft(GetProfile(access_token=SecretStr("none"))))
        await web.ask(web.draft(GetProfile(access_token=SecretStr("x")), type="authbus.Evil.v1"))
        await web.send(registered.with_header("ce_id", b"none"))
        await web.send(registered.but(value=b"{}"))
        await world.dead_letters(2)

    assert counted(metrics, "commands_total") == {
        ("done", "RegisterUser"): 1,
        ("repeated", "RegisterUser"): 1,
        ("dead", "RegisterUser"): 1,
        ("done", "LogIn"): 1,
        ("invalid_credentials", "LogIn"): 1,
        ("invalid_token", "GetProfile"): 1,
        ("unknown_type", "unknown"): 1,
        ("dead", "unknown"): 1,
    }
    assert counted(metrics, "dead_letters_total") == {("bad_header",): 1, ("secret_exposed",): 1}
    stages = counted(metrics, "stage_seconds_count")
    assert stages["wait",] == stages["handled",] == 7
    assert stages["open",] == 5
    assert stages["prepare",] == stages["hash",] == stages["commit",] == 3
    assert stages["reply",] == 6
    seconds = counted(metrics, "stage_seconds_sum")
    assert 0 < seconds["hash",] < seconds["prepare",]
    assert counted(metrics, "group_size_sum") == {("hashed",): 3}
    assert counted(metrics, "group_window_seconds_count") == {("hashed",): 3}
