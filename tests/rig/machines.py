"""Service accounts made, given other secrets and logged in, on real servers."""

from collections.abc import Callable
from uuid import UUID

from pydantic import SecretStr

from authbus import (
    CreateServiceAccount,
    LogInService,
    RotateServiceSecret,
    ServiceSecret,
)
from authbus.commands import AnyCommand
from authbus.message import Command, Reply
from tests.rig.operators import by_operator
from tests.rig.world import World

NAME = "nightly billing"


async def ask(world: World, command: Command) -> Reply:
    return await world.web.ask(world.web.draft(command))


async def by_proof(world: World, make: Callable[[SecretStr], AnyCommand]) -> Reply:
    return await world.web.ask(by_operator(world, make))


async def made(world: World) -> ServiceSecret:
    found = await by_proof(world, lambda by: CreateServiceAccount(access_token=by, name=NAME))
    assert isinstance(found, ServiceSecret)
    return found


async def rotated(world: World, user_id: UUID, hours: int) -> ServiceSecret:
    found = await by_proof(
        world,
        lambda by: RotateServiceSecret(access_token=by, user_id=user_id, overlap_hours=hours),
    )
    assert isinstance(found, ServiceSecret)
    return found


async def log_in(world: World, service: ServiceSecret) -> Reply:
    return await ask(world, LogInService(user_id=service.user_id, secret=service.secret))
