"""How the commands of administrators are made."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from authbus.admin_commands import (
    DeactivateUser,
    EndUserSessions,
    EraseUser,
    ExportUser,
    FindUsers,
    ForcePasswordReset,
    GetUser,
    GrantRole,
    ImportUser,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.message import Command
from authbus.second_factor import ResetSecondFactor
from authbus.service_accounts import CreateServiceAccount, RotateServiceSecret
from tests.model.accounts import NO_LOCALE
from tests.model.choosing import NOBODY, ROLES, Making
from tests.model.managing import IMPORTED, NO_HASH

PROFILES: list[dict[str, Any]] = [
    {"display_name": "Ana"},
    {"display_name": None, "locale": "nl"},
    {"attributes": {"size": 1, "seen": [True, None]}, "time_zone": "Europe/Rome"},
    {"attributes": {"size": 1.0, "seen": [True, None]}},
    {},
    {"locale": NO_LOCALE},
]


def _end_user_sessions(make: Making) -> Command:
    session = make.session()
    id_ = NOBODY if session is None or session.id is None else session.id
    admin = make.admin()
    match make.choose(["all", "one", "theirs"]):
        case "all":
            return EndUserSessions(access_token=admin, user_id=make.account())
        case "one":
            return EndUserSessions(access_token=admin, session_id=id_)
        case _:
            return EndUserSessions(access_token=admin, user_id=make.account(), session_id=id_)


def _import(make: Making) -> Command:
    kept = make.mostly([IMPORTED, None], [NO_HASH])
    return ImportUser(
        access_token=make.admin(),
        email=make.new_address(),
        password_hash=None if kept is None else SecretStr(kept),
        email_verified=make.choose([False, True]),
        **make.choose(PROFILES),
    )


def _find(make: Making) -> Command:
    return FindUsers(
        access_token=make.admin(),
        email_prefix=make.choose([None, "a", "BELA@", "example"]),
        status=make.choose([None, "active", "deactivated"]),
        limit=make.choose([50, 1]),
    )


def _rotate(make: Making) -> Command:
    return RotateServiceSecret(
        access_token=make.admin(),
        user_id=make.account(machine=True),
        overlap_hours=make.choose([24, 0]),
    )


def _about(kind: Callable[..., Command], **more: Any) -> Callable[[Making], Command]:
    return lambda make: kind(access_token=make.admin(), user_id=make.account(), **more)


def _with_role(kind: Callable[..., Command]) -> Callable[[Making], Command]:
    return lambda make: kind(
        access_token=make.admin(), user_id=make.account(), role=make.choose(ROLES)
    )


BY_ADMINS: Mapping[type[Command], Callable[[Making], Command]] = {
    DeactivateUser: _about(DeactivateUser, reason="abuse"),
    ReactivateUser: _about(ReactivateUser),
    UnlockUser: _about(UnlockUser),
    EndUserSessions: _end_user_sessions,
    ImportUser: _import,
    ForcePasswordReset: _about(ForcePasswordReset),
    GrantRole: _with_role(GrantRole),
    RevokeRole: _with_role(RevokeRole),
    EraseUser: _about(EraseUser),
    ExportUser: _about(ExportUser),
    GetUser: lambda make: GetUser(
        access_token=make.admin(),
        user_id=make.account(),
        ended_sessions=make.choose([False, True]),
    ),
    FindUsers: _find,
    ResetSecondFactor: _about(ResetSecondFactor),
    CreateServiceAccount: lambda make: CreateServiceAccount(
        access_token=make.admin(), name="billing"
    ),
    RotateServiceSecret: _rotate,
}
