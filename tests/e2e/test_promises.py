"""What a real service and the fake of `authbus.testing` both promise, said once."""

import asyncio
import base64
import inspect
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from authbus import Command
from authbus.contract import COMMANDS
from authbus.message import Reply
from authbus.testing import answering
from authbus.testing.answering import answer
from authbus.testing.memory import Ask, Memory
from authbus_service.core.database import Database
from tests.e2e.place import ROLES, SETTINGS, Place, Where, a_fake, a_real_one
from tests.e2e.promises import (
    accounts,
    addresses,
    administering,
    asking_again,
    factors,
    hearing,
    importing,
    looking_up,
    machines,
    sessions,
)
from tests.rig import processes
from tests.rig.post import posting

Promise = Callable[[Place], Awaitable[None]]


def promises(module: ModuleType) -> list[Promise]:
    """What a module promises: functions of its own that take a place and return nothing."""
    return [
        each
        for name, each in inspect.getmembers(module, inspect.iscoroutinefunction)
        if each.__module__ == module.__name__
        and inspect.get_annotations(each) == {"place": Place, "return": None}
        and not name.startswith("_")
    ]


MODULES = (
    sessions,
    asking_again,
    accounts,
    addresses,
    factors,
    administering,
    machines,
    importing,
    looking_up,
    hearing,
)
PROMISES = [each for module in MODULES for each in promises(module)]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
async def test_the_fake_keeps(promise: Promise) -> None:
    async with asyncio.timeout(5), a_fake() as place:
        await promise(place)


async def test_each_command_of_the_contract_is_in_a_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[type[Command]] = set()

    def noted(memory: Memory, command: Command, ask: Ask) -> Reply:
        asked.add(type(command))
        return answer(memory, command, ask)

    monkeypatch.setattr(answering, "answer", noted)
    for promise in PROMISES:
        async with asyncio.timeout(5), a_fake() as place:
            await promise(place)

    assert asked == {*COMMANDS.values()}


async def test_a_real_service_keeps_every_promise(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    roles = "".join(f'[[role]]\nname = "{name}"\npermissions = {ROLES[name]}\n' for name in ROLES)
    (tmp_path / "roles.toml").write_text(roles)
    with posting() as post:
        own = {
            "AUTHBUS_SMTP_URL": post.url,
            "AUTHBUS_MAIL_FROM": "authbus <no-reply@example.com>",
            "AUTHBUS_LINK_BASE_URL": "https://example.com",
            "AUTHBUS_GUESS_WAIT_SECONDS": str(SETTINGS.guess_wait_seconds),
            "AUTHBUS_GUESSES_UNTIL_LOCK": str(SETTINGS.guesses_until_lock),
            "AUTHBUS_GUESSES_PER_SOURCE": str(SETTINGS.guesses_per_source),
            "AUTHBUS_SESSIONS_PER_USER": str(SETTINGS.sessions_per_user),
        }
        log = tmp_path / "service.log"
        async with processes.serving({**settings, **own}, log) as process:
            where = Where(
                str(process.told["kafka"]),
                settings["AUTHBUS_NAMESPACE"],
                str(process.told["trust"]),
                base64.b64decode(settings["AUTHBUS_MASTER_KEY"]),
            )
            async with a_real_one(where, post) as place:
                kept = await asyncio.gather(
                    *(promise(place) for promise in PROMISES), return_exceptions=True
                )

    broken = [
        _named(promise, found)
        for promise, found in zip(PROMISES, kept, strict=True)
        if isinstance(found, BaseException)
    ]
    if broken:
        raise BaseExceptionGroup("promises that a real service does not keep", broken)


def _named(promise: Promise, error: BaseException) -> BaseException:
    error.add_note(f"promise: {promise.__name__}")
    return error
