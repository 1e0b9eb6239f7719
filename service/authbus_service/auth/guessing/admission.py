"""Before a password is checked: may it be? Wait for those under way, or be refused unchecked."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from authbus.addresses import mailbox
from authbus.ip_networks import network_of
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.core import clock
from authbus_service.core.security.masters import Masters

_FIRST_LOOK = 0.02
_SLOWEST_LOOK = 0.25

Reserve = Callable[[Attempt], Awaitable[Verdict | None]]


def account_key(masters: Masters, canonical: str) -> bytes:
    """What stands for an address, whether there is an account behind it or not."""
    return masters.derive("guess/account", canonical.encode())


def device_key(masters: Masters, device_hash: bytes) -> bytes:
    """What stands for a device that its user is known by."""
    return masters.derive("guess/device", device_hash)


def own_key(masters: Masters, user_id: UUID) -> bytes:
    """What stands for an account whose own session guesses at its password."""
    return masters.derive("guess/own", user_id.bytes)


def factor_key(masters: Masters, user_id: UUID) -> bytes:
    """What stands for an account whose second factor is guessed at by who has its password."""
    return masters.derive("guess/factor", user_id.bytes)


def own_factor_key(masters: Masters, user_id: UUID) -> bytes:
    """The same for its own session: whoever stole that keeps nobody out who is to end it."""
    return masters.derive("guess/own-factor", user_id.bytes)


def reset_key(masters: Masters, canonical: str) -> bytes:
    """What stands for an address to which a mail for a new password is asked for."""
    return masters.derive("reset/account", canonical.encode())


def mailbox_key(masters: Masters, canonical: str) -> bytes:
    """What stands for a mailbox that is nobody's yet, to which somebody has mails sent."""
    return masters.derive("mails/mailbox", mailbox(canonical).encode())


def address_key(masters: Masters, canonical: str) -> bytes:
    """What stands for an address to which mails for a new password go."""
    return masters.derive("mails/address", canonical.encode())


def change_key(masters: Masters, user_id: UUID) -> bytes:
    """What stands for a user who asks for another address."""
    return masters.derive("mails/change", user_id.bytes)


def source_key(masters: Masters, address: str | None, of: str = "guess") -> bytes | None:
    """What stands for the network from which a producer was asked, where it says so.

    Each kind of attempt is counted on its own, so `of` is "guess", "reset" or "register".
    """
    return None if address is None else masters.derive(f"{of}/source", network_of(address).encode())


async def admitted(attempt: Attempt, reserve: Reserve) -> Verdict:
    """Whether this attempt may be checked; it is then held for its command.

    `WAIT`: its time is up, and those under way were not settled. Whoever finds room at once is let
    in whatever this process's clock says: the group judges by the database's.
    """
    look = _FIRST_LOOK
    while (verdict := await reserve(attempt) or Verdict.WAIT) is Verdict.WAIT:
        if clock.now() >= attempt.expires_at:
            break
        await asyncio.sleep(look)
        look = min(2 * look, _SLOWEST_LOOK)
    return verdict
