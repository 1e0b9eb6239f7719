"""Dead letters of a world, looked at and handled as the command line does it."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authbus_service.auth import handlers
from authbus_service.auth.granting import Granting
from authbus_service.auth.roles.roles import BUILT_IN
from authbus_service.cluster import Admin
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.policy import policy_of
from authbus_service.consumers.questions import readers_of, tools_of
from authbus_service.consumers.speaker import Speaker
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.config import Settings
from authbus_service.core.progress import Tell
from authbus_service.core.security.following import KeyFollower
from authbus_service.replay.letters import DeadLetters, Open, Which
from authbus_service.replay.originals import Originals
from authbus_service.replay.redriving import Handling, Redriving
from tests.rig.accident import relaying
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.world import World


async def buried(world: World, *drafts: Draft) -> None:
    """Have a service with a bug handle these records."""

    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(handlers, "decide", broken)
        async with world.consuming():
            for draft in drafts:
                await world.web.send(draft)
            await all_finished(world)


def _to_nobody(_step: str, _done: int, _total: int | None) -> None:
    pass


@asynccontextmanager
async def a_redriving(
    world: World, tell: Tell = _to_nobody, *, wait: float = 30
) -> AsyncGenerator[Redriving]:
    """What handles this world's dead letters."""
    settings = Settings(namespace=world.namespace)
    ring, database = world.keyring, world.database
    policy, readers = policy_of(settings, BUILT_IN), readers_of(settings.issuer, ring)
    speaker = Speaker(world.namespace, world.servers, {})
    await speaker.start()
    try:
        async with Admin.connect(world.servers, {}) as admin:
            yield Redriving(
                database=database,
                letters=DeadLetters(admin, world.namespace),
                originals=Originals(admin, world.namespace),
                speaker=speaker,
                handling=Handling(
                    opener=Opener(ring, EMBEDDED_CLIENTS, world.namespace),
                    masters=ring.masters,
                    tools=tools_of(database, world.hashes, policy, *readers),
                    hashes=world.hashes,
                    finish=Granting(settings.issuer, ring.sign, settings.totp_issuer),
                    keys=KeyFollower(database, ring, settings.keys_reload_seconds),
                ),
                tell=tell,
                wait=wait,
            )
    finally:
        await speaker.stop()


async def redriven(world: World, tell: Tell = _to_nobody, *, dry_run: bool = False) -> Counter[str]:
    """Redrive every open dead letter, while a relay runs."""
    async with relaying(world), a_redriving(world, tell) as work:
        return await work.run(await work.letters.open_ones(Which()), dry_run=dry_run)


async def open_letters(world: World, which: Which | None = None) -> list[Open]:
    """Those that are open."""
    async with Admin.connect(world.servers, {}) as admin:
        return await DeadLetters(admin, world.namespace).open_ones(which or Which())
