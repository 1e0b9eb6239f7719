"""Commands with an operator's proof, as the command line sends them."""

from collections.abc import Callable
from uuid import UUID

from pydantic import SecretStr

from authbus.message import Command
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import operator_token
from tests.rig.producing import Draft
from tests.rig.world import World


def proof(masters: Masters, namespace: str, command_id: UUID) -> SecretStr:
    """What stands for an access token in this one command."""
    issuer = f"authbus/{namespace}"
    return SecretStr(operator_token(masters, issuer=issuer, command_id=command_id, at=clock.now()))


def by_operator(world: World, make: Callable[[SecretStr], Command]) -> Draft:
    """The record of a command that `make` makes with its proof."""
    id_ = new_id()
    return world.web.draft(make(proof(world.masters, world.namespace, id_)), id_=id_)
