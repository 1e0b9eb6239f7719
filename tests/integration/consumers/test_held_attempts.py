"""Attempts that nobody settles: none may stand in the way of the next ones."""

# pyright: reportPrivateUsage=false

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from authbus import LoggedIn, LogIn
from authbus_service.consumers import group
from authbus_service.consumers.service import Consumers
from authbus_service.inbox.repository import Handled
from tests.integration.consumers.guessing import asked, register, right
from tests.rig.world import World

HELD = "SELECT 1 FROM attempts WHERE state = 'held'"


async def test_a_copy_that_another_process_overtakes_holds_no_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, hidden = Consumers._ask_known, set[UUID]()

    async def late(self: Consumers, ids: Sequence[UUID]) -> Mapping[UUID, Handled]:
        """Know such a command once its group has found it claimed, as where two come at once."""
        if hidden & set(ids):
            hidden.clear()
            return {}
        return await known(self, ids)

    monkeypatch.setattr(Consumers, "_ask_known", late)
    async with world.consuming():
        await register(world)
        draft = right(world)
        await asked(world, [draft])
        hidden.add(draft.id)
        await world.web.send(draft)
        first, second = await world.web.heard(draft, 2)

    assert not hidden
    assert isinstance(first, LoggedIn)
    assert isinstance(second, LoggedIn)
    assert first.session_id == second.session_id
    assert not await world.rows(HELD)


async def test_a_log_in_that_cannot_be_handled_holds_no_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide: Callable[..., Any] = group.handlers.decide

    def fail(request: Any, *rest: Any) -> Any:
        if isinstance(request.command, LogIn):
            raise ZeroDivisionError
        return decide(request, *rest)

    async with world.consuming():
        await register(world)
        monkeypatch.setattr(group.handlers, "decide", fail)
        await world.web.send(right(world))
        await world.dead_letters(1)

    assert not await world.rows(HELD)
