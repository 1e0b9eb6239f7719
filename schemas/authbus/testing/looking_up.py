"""What administrators look up."""

from collections.abc import Iterator
from uuid import UUID

from authbus.admin_commands import FindUsers, GetUser
from authbus.replies import FoundUsers, UserDetails, UserEntry
from authbus.session_pages import MOST_OVER, details
from authbus.testing.memory import Ask, Memory
from authbus.testing.permitting import administrator, named
from authbus.testing.rows import Account
from authbus.user_pages import found


def find_users(memory: Memory, command: FindUsers, ask: Ask) -> FoundUsers:
    """One page, and where the next one begins."""
    administrator(memory, command.access_token, ask, "users:read")
    by = _by_address if command.email_prefix else _by_id
    users = (
        (place, _entry(user))
        for place, user in by(memory, command)
        if command.status in {None, user.status}
    )
    return found(users, command.limit)


def _by_address(memory: Memory, command: FindUsers) -> Iterator[tuple[str, Account]]:
    prefix, after = (command.email_prefix or "").lower(), command.after or ""
    for address, user_id in sorted(memory.addresses.items()):
        if address.startswith(prefix) and address > after:
            yield address, memory.users[user_id]


def _by_id(memory: Memory, command: FindUsers) -> Iterator[tuple[str, Account]]:
    after = _id(command.after or "")
    for user_id, user in sorted(memory.users.items()):
        if user_id > after:
            yield str(user_id), user


def _id(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError:
        return UUID(int=0)


def get_user(memory: Memory, command: GetUser, ask: Ask) -> UserDetails:
    """The account with a page of its sessions: also of those that are over, when asked for."""
    administrator(memory, command.access_token, ask, "users:read")
    user = named(memory, command.user_id)
    mine = [each for each in memory.sessions.values() if each.user_id == user.id]
    over = [each for each in mine if not each.is_live(memory.now)]
    newest = sorted(over, key=lambda each: (each.started_at, each.id), reverse=True)
    shown = newest[:MOST_OVER] if command.ended_sessions else []
    entries = [each.entry() for each in (*memory.live(user), *shown)]
    return details(_entry(user), user.sequence, entries, command.after)


def _entry(user: Account) -> UserEntry:
    return UserEntry(
        user_id=user.id,
        kind=user.kind,
        email=user.email or None,
        email_verified=user.email_verified,
        second_factor=user.second_factor,
        status=user.status,
        roles=user.roles,
        created_at=user.created_at,
    )
