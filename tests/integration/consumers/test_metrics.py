"""What a scrape tells after commands of every kind of end."""

from pydantic import SecretStr

from authbus.commands import GetProfile, LogIn, RegisterUser
from tests.rig.scraping import counted
from tests.rig.world import World

EMAIL, PASSWORD = "ana@example.com", SecretStr("correct horse battery")


async def test_every_end_of_a_command_is_counted_once_by_type_and_outcome(world: World) -> None:
    web = world.web
    registered = web.draft(RegisterUser(email=EMAIL, password=PASSWORD))
    async with world.consuming() as consumers:
        await web.ask(registered)
        await web.ask(registered)
        await web.ask(web.draft(LogIn(email=EMAIL, password=PASSWORD)))
        await web.ask(web.draft(LogIn(email=EMAIL, password=SecretStr("not this one"))))
        await web.ask(web.draft(GetProfile(access_token=SecretStr("none"))))
        await web.ask(web.draft(GetProfile(access_token=SecretStr("x")), type="authbus.Evil.v1"))
        await web.send(registered.with_header("ce_id", b"none"))
        await web.send(registered.but(value=b"{}"))
        await world.dead_letters(2)
    metrics = consumers.watch.metrics

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
    assert stages["prepare",] == stages["commit",] == 3
    assert stages["reply",] == 6
    assert counted(metrics, "group_size_sum") == {("hashed",): 3}
