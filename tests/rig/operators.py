"""Commands with an operator's proof, as the command line sends them."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import SecretStr

from authbus.message import Command
from authbus_service.core.ids import new_id
from authbus_service.core.security.operator import operator_token
from tests.rig.producing import Draft
from tests.rig.world import World


def by_operator(world: World, make: Callable[[SecretStr], Command]) -> Draft:
    """The record of a command that `make` makes with its proof."""
    id_ = new_id()
    proof = operator_token(
        world.masters,
        issuer=f"authbus/{world.namespace}",
        command_id=id_,
        at=datetime.now(UTC),
    )
    return world.web.draft(make(SecretStr(proof)), id_=id_)
