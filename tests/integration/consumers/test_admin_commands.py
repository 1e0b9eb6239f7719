"""Every command of the administrators' topic is for who shows to be one, and for nobody else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus import (
    Code,
    DeactivateUser,
    EndAllSessions,
    GrantRole,
    LoggedIn,
    Rejected,
)
from authbus.commands import AnyCommand
from authbus.contract import ROWS
from authbus.message import Command, Reply
from authbus.specification import examples
from authbus.topics import ADMIN
from tests.rig.crowd import Crowd
from tests.rig.operators import by_operator
from tests.rig.world import World

Make = Callable[[SecretStr], Command]
COMMANDS = [row.command for row in ROWS if row.topic is ADMIN]
REFUSALS = {
    "no token": Code.INVALID_TOKEN,
    "a text that is none": Code.INVALID_TOKEN,
    "a user's": Code.FORBIDDEN,
    "an ended session's": Code.INVALID_TOKEN,
    "a deactivated administrator's": Code.INVALID_TOKEN,
    "one past its time": Code.INVALID_TOKEN,
    "one of another issuer": Code.INVALID_TOKEN,
    "one that another key signed": Code.INVALID_TOKEN,
}
HELD = ("users", "sessions", "emails", "codes", "mails", "erased_users")


@dataclass
class Cast:
    """Who is there: somebody about whom is asked, and tokens of all kinds."""

    ana: UUID
    admin: SecretStr
    tokens: dict[str, SecretStr]


async def a_cast(world: World) -> Cast:
    ana, root, left, shut = await Crowd(world).with_sessions(4)
    made = [granting(each.user_id) for each in (root, left, shut)]
    for each in (*made, shutting(shut.user_id)):
        assert not isinstance(await world.web.ask(by_operator(world, each)), Rejected)
    ending = EndAllSessions(access_token=left.access_token, this_one_too=True)
    await world.web.ask(world.web.draft(ending))
    header, payload, signature = root.access_token.get_secret_value().split(".")
    past = datetime.now(UTC) - timedelta(seconds=1)
    return Cast(
        ana.user_id,
        root.access_token,
        {
            "no token": SecretStr(""),
            "a text that is none": SecretStr("a.b.c"),
            "a user's": ana.access_token,
            "an ended session's": left.access_token,
            "a deactivated administrator's": shut.access_token,
            "one past its time": signed(world, root, exp=int(past.timestamp())),
            "one of another issuer": signed(world, root, iss="authbus/elsewhere"),
            "one that another key signed": SecretStr(f"{header}.{payload}.{signature[::-1]}"),
        },
    )


def granting(user_id: UUID) -> Make:
    return lambda by: GrantRole(access_token=by, user_id=user_id, role="admin")


def shutting(user_id: UUID) -> Make:
    return lambda by: DeactivateUser(access_token=by, user_id=user_id)


def signed(world: World, session: LoggedIn, **changes: Any) -> SecretStr:
    """A token that our own key signed, with other claims."""
    claims = world.keyring.verified(session.access_token.get_secret_value())
    assert claims is not None
    return SecretStr(world.keyring.sign({**claims, **changes}))


def asked(command: type[AnyCommand], token: SecretStr, user_id: UUID) -> AnyCommand:
    """The example of a command, about this user and by this token."""
    example = examples.VALUES[command]
    changes: dict[str, Any] = {"access_token": token}
    if "user_id" in command.model_fields:
        changes["user_id"] = user_id
    made = example.model_copy(update=changes)
    assert isinstance(made, command)
    return made


async def state(world: World) -> list[Any]:
    rows = [await world.rows(f"SELECT * FROM {table} ORDER BY 1") for table in HELD]
    return [*rows, await world.events()]


async def answers(world: World, token: SecretStr, user_id: UUID) -> dict[str, Reply]:
    drafts = [world.web.draft(asked(each, token, user_id)) for each in COMMANDS]
    replies = [await world.web.ask(each) for each in drafts]
    return {each.__name__: reply for each, reply in zip(COMMANDS, replies, strict=True)}


async def test_each_is_refused_without_the_token_of_an_administrator_who_is_there(
    world: World,
) -> None:
    async with world.consuming():
        cast = await a_cast(world)
        before = await state(world)
        refused = {
            name: await answers(world, token, cast.ana) for name, token in cast.tokens.items()
        }
        after = await state(world)
        let_in = await answers(world, cast.admin, cast.ana)

    assert refused == {
        name: {each.__name__: Rejected.because(code) for each in COMMANDS}
        for name, code in REFUSALS.items()
    }
    assert after == before
    codes = {name: each.code for name, each in let_in.items() if isinstance(each, Rejected)}
    assert set(codes.values()).isdisjoint(REFUSALS.values()), codes


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.__name__)
def test_each_asks_for_a_token_inside_its_seal(command: type[AnyCommand]) -> None:
    assert command.model_fields["access_token"].is_required()
