"""`authbus watch` as a program: what it prints, and how it ends."""

import asyncio
import json
import os
import signal
from pathlib import Path

from authbus_service.core.exit_status import Exit
from tests.rig import programs
from tests.rig.accident import serving
from tests.rig.crowd import Crowd
from tests.rig.world import World


async def test_a_command_and_what_comes_of_it_are_lines_of_json_until_it_is_interrupted(
    world: World, tmp_path: Path
) -> None:
    clients = tmp_path / "clients.toml"
    clients.write_text('[[client]]\nid = "web"\n')
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": world.servers,
        "AUTHBUS_NAMESPACE": world.namespace,
        "AUTHBUS_CLIENTS": str(clients),
    }
    watch = await programs.start(
        *("watch", "--where", "client=web"),
        environment={**os.environ, **settings},
        folder=tmp_path,
    )

    async with asyncio.timeout(40):
        begins = await watch.stderr.readline()
        async with serving(world):
            await Crowd(world).asked(Crowd(world).registers([0]))
            lines = [json.loads(await watch.stdout.readline()) for _ in range(4)]
        watch.send_signal(signal.SIGINT)
        rest, errors = await watch.communicate()

    assert begins.startswith(b"watching ")
    of = {each["kind"]: each for each in lines}
    assert sorted(of) == ["audit", "command", "event", "reply"]
    assert len({each["command_id"] for each in lines}) == 1
    assert (of["command"]["client"], of["reply"]["outcome"]) == ("web", "done")
    assert {*of["command"]["after_ms"], *of["reply"]["after_ms"]} == {"sent", "answered"}
    assert (watch.returncode, rest, errors) == (Exit.DONE, b"", b"")
