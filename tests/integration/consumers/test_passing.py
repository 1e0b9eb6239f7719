"""What was handled and nobody waits for is passed by in one look-up; nothing else is."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from authbus import RegisterUser
from authbus_service.consumers.finishing import Finishing
from authbus_service.core import clock
from tests.rig.crowd import PASSWORD, email
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.world import World

RawHeader = tuple[str, bytes | None]


def _split(headers: Sequence[RawHeader]) -> list[RawHeader]:
    """With a type that is UTF-8 only together with what follows it."""
    return [(name, b"x\xc3" if name == "ce_type" else value) for name, value in headers]


async def test_a_copy_of_an_expired_command_is_passed_by_and_what_only_looks_like_one_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires_at = clock.now() + timedelta(seconds=4)

    def draft(user: int) -> Draft:
        asked = RegisterUser(email=email(user), password=PASSWORD)
        return world.web.draft(asked, expirytime=expires_at)

    first, unknown, once = draft(0), draft(1), Finishing.__call__
    ways: list[int] = []

    async def counted(self: Finishing, arrival: object) -> None:
        ways.append(1)
        await once(self, arrival)  # pyright: ignore[reportArgumentType]

    async with world.consuming():
        await world.web.ask(first)
        while clock.now() < expires_at:  # noqa: ASYNC110 - a time, not a thing that happens
            await asyncio.sleep(0.05)
        monkeypatch.setattr(Finishing, "__call__", counted)
        for _ in range(3):
            await world.web.send(first.with_header("replay_id", b"1"))
        await all_finished(world)
        passed_by = len(ways)
        for each in (
            first.but(value=first.value[:-4] + b"AAAA"),
            first.but(headers=[*first.headers, first.headers[0]]),
            first.but(headers=[*_split(first.headers), ("other", b"\xa9")]),
            unknown,
        ):
            await world.web.send(each)
        letters = await world.dead_letters(3)
        await all_finished(world)

    assert (passed_by, len(ways)) == (0, 4)
    assert sorted(each["reason"] for each in letters) == ["bad_header", "bad_header", "bad_seal"]
    assert len(await world.events()) == 1
    assert len(world.web.answers(first.id)) == 1
