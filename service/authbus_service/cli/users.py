"""`authbus users`: what an administrator may do about a user, by the master key."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from getpass import getpass
from typing import Any, Literal, TypeVar
from uuid import UUID

from authbus.client import User
from authbus.client.admin_calls import Reason
from authbus.client.pages import whole
from authbus.errors import AuthRejected
from authbus.replies import Code, UserDetails, UserEntry, UserIsErased
from authbus_service.auth.roles.roles import ADMIN
from authbus_service.cli.operator import Operator, as_operator
from authbus_service.cli.output import report, show, show_rows
from authbus_service.core.config import load
from authbus_service.startup.errors import StartupError
from authbus_service.startup.master_key import masters_of

T = TypeVar("T")

_A_PAGE = 100


def create(email: str, *, admin: bool, client: str) -> None:
    """Register a user and print the id; `admin` gives the role that permits everything."""
    masters_of(load())  # what is set wrong is told before a password is asked for
    password = _password()

    async def work(operator: Operator) -> UUID:
        user = await _registered(operator, email, password)
        if admin:
            await operator.ask(operator.admin.grant_role, user.user_id, ADMIN)
        return user.user_id

    show({"user_id": str(as_operator(client, work)), "roles": [ADMIN] if admin else []})


async def _registered(operator: Operator, email: str, password: str) -> User:
    try:
        return await operator.auth.register(email, password)
    except AuthRejected as refused:
        if refused.code != Code.EMAIL_TAKEN:
            raise
        raise StartupError(
            "there is an account with this address. `authbus users show` looks at it, "
            "`authbus users grant` gives it a role once its user has shown that the address is "
            "theirs"
        ) from None


def find(
    prefix: str | None, status: Literal["active", "deactivated"] | None, *, limit: int, client: str
) -> None:
    """Print the accounts whose address begins so, at most `limit`, and say where there are more."""

    async def work(operator: Operator) -> tuple[list[UserEntry], str | None]:
        users, after = list[UserEntry](), None
        while True:
            page = await operator.ask(
                operator.admin.find,
                email_prefix=prefix,
                status=status,
                after=after,
                limit=min(limit - len(users), _A_PAGE),
            )
            users, after = [*users, *page.users], page.next
            if after is None or len(users) >= limit:
                return users, after

    users, more = as_operator(client, work)
    show_rows([_row(each) for each in users])
    if more is not None:
        report(f"there are more than these {len(users)}: say a longer PREFIX, or --limit")
    elif not users:
        report("there is no such account")


def _row(user: UserEntry) -> dict[str, Any]:
    return {
        "user_id": str(user.user_id),
        "email": user.email,
        "kind": user.kind,
        "status": user.status,
        "roles": " ".join(user.roles),
    }


def look(whose: str, *, client: str) -> None:
    """Print one account: its state, roles and how many sessions go on."""

    def told(found: Sequence[UserDetails]) -> Mapping[str, Any]:
        user = found[0].user.model_dump(exclude={"user_id"})
        sessions = sum(len(each.sessions) for each in found)
        return {**user, "sessions": sessions, "sequence": found[0].sequence}

    _about(whose, client, lambda its, user_id: its.pages(its.admin.get, user_id), told)


def grant(whose: str, role: str, *, client: str, unverified: bool) -> None:
    """Give a user a role and print all that they hold.

    Raises StartupError where nobody has shown that the address is theirs, unless `unverified`.
    """

    async def given(its: Operator, user_id: UUID) -> tuple[str, ...]:
        user = (await its.ask(its.admin.get, user_id)).user
        if user.email is not None and not user.email_verified and not unverified:
            raise StartupError(
                "nobody has shown that this address is theirs: the password may be a stranger's. "
                "`authbus users reset-password` takes it away and mails its user how to set "
                "another, which shows it. Say --unverified for an account that you made yourself"
            )
        return await its.ask(its.admin.grant_role, user_id, role)

    _about(whose, client, given, lambda roles: {"roles": roles})


def revoke(whose: str, role: str, *, client: str) -> None:
    """Take a role away and print all that the user still holds."""
    _about(
        whose,
        client,
        lambda its, user_id: its.ask(its.admin.revoke_role, user_id, role),
        lambda roles: {"roles": roles},
    )


def deactivate(whose: str, reason: Reason, *, client: str) -> None:
    """Shut an account and print how many of its sessions ended."""
    _about(
        whose,
        client,
        lambda its, user_id: its.ask(its.admin.deactivate, user_id, reason=reason),
        lambda ended: {"status": "deactivated", "sessions_ended": ended},
    )


def reactivate(whose: str, *, client: str) -> None:
    """Open a deactivated account again."""
    _about(
        whose,
        client,
        lambda its, user_id: its.ask(its.admin.reactivate, user_id),
        lambda _: {"status": "active"},
    )


def unlock(whose: str, *, client: str) -> None:
    """End a lock that wrong passwords brought, if there is one."""
    _about(
        whose,
        client,
        lambda its, user_id: its.ask(its.admin.unlock, user_id),
        lambda _: {"locked": False},
    )


def reset_password(whose: str, *, client: str) -> None:
    """Take a password away, mail its user how to set another; print how many sessions ended."""
    _about(
        whose,
        client,
        lambda its, user_id: its.ask(its.admin.force_password_reset, user_id),
        lambda ended: {"sessions_ended": ended},
    )


def reset_second_factor(whose: str, *, client: str) -> None:
    """Take a lost second factor away, if there is one."""
    _about(
        whose,
        client,
        lambda its, user_id: its.ask(its.admin.reset_second_factor, user_id),
        lambda _: {"second_factor": False},
    )


def export(whose: str, *, client: str) -> None:
    """Print all that is held of a user, for whom the law gives a right to it."""
    _about(
        whose,
        client,
        lambda its, user_id: its.pages(its.admin.export_page, user_id),
        lambda exported: whole(exported).model_dump(exclude={"next"}),
    )


def erase(whose: str, *, client: str, is_sure: Callable[[UUID], bool]) -> None:
    """Erase a user for good and print the receipt, once `is_sure` has said so of the id."""
    user_id = as_operator(client, lambda operator: operator.user_id(whose))
    if not is_sure(user_id):
        raise StartupError(f"{user_id} is as before. Say --yes where nobody can be asked")
    _about(
        str(user_id),
        client,
        lambda its, user_id: its.ask(its.admin.erase, user_id),
        UserIsErased.model_dump,
    )


def _about(
    whose: str,
    client: str,
    ask: Callable[[Operator, UUID], Awaitable[T]],
    told: Callable[[T], Mapping[str, Any]],
) -> None:
    """Ask as an operator about this user, named by id or address; print the id and the answer."""

    async def work(operator: Operator) -> Mapping[str, Any]:
        user_id = await operator.user_id(whose)
        return {"user_id": str(user_id), **told(await ask(operator, user_id))}

    show(as_operator(client, work))


def _password() -> str:
    """Asked for twice in a terminal, else the first line of standard input; never an argument."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise StartupError("the two passwords differ. Type them again")
    return password
