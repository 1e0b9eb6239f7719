"""What administrators may do, and about whom."""

from uuid import UUID

from pydantic import SecretStr

from authbus.replies import Code
from authbus.testing.acting import acting, acting_afresh
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import Account

# What the service's own role `admin` permits.
ADMIN = frozenset(
    {
        "users:read",
        "users:write",
        "users:import",
        "users:export",
        "users:erase",
        "roles:grant",
        "roles:grant-any",
        "services:write",
    }
)


def administrator(
    memory: Memory, token: SecretStr, ask: Ask, permission: str, *, sensitive: bool = False
) -> Account:
    """Who asks, if one of their roles permits it.

    What is `sensitive` needs a second factor that was shown lately, where they have one.
    """
    user, _ = acting(memory, token, ask)
    if permission not in memory.permissions(user):
        raise Refusal(Code.FORBIDDEN)
    if sensitive:
        acting_afresh(memory, token, ask)
    return user


def named(memory: Memory, user_id: UUID | None) -> Account:
    """The user whom a command names."""
    user = None if user_id is None else memory.users.get(user_id)
    if user is None:
        raise Refusal(Code.USER_UNKNOWN)
    return user


def refuse_more(memory: Memory, admin: Account, permissions: frozenset[str]) -> None:
    """Refuse what leads to more than the administrator may do."""
    held = memory.permissions(admin)
    if "roles:grant-any" not in held and not permissions <= held:
        raise Refusal(Code.FORBIDDEN)
