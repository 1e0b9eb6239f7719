"""All that is held of a user, as the service's tables have it.

What those hold for moments or by hashes alone is in none of these exports: wrong guesses, mails on
their way, what auditors are still to be told.
"""

from typing import Any

from pydantic_core import to_jsonable_python

from authbus.addresses import canonical
from authbus.admin_commands import ExportUser
from authbus.commands import ExportAccount
from authbus.replies import UserExport
from authbus.testing import codes
from authbus.testing.acting import acting
from authbus.testing.memory import Ask, Memory
from authbus.testing.permitting import administrator, named
from authbus.testing.rows import Account

_SESSION = (
    "id",
    "user_id",
    "client_id",
    "device",
    "ip_address",
    "started_at",
    "last_used_at",
    "authenticated_at",
    "lapses_at",
    "expires_at",
    "ended_at",
    "end_reason",
)
_CODE = ("user_id", "purpose", "address", "made_at", "expires_at", "used_at")
_FACTOR = ("made_at", "enabled_at", "last_step")
Row = dict[str, Any]


def export_account(memory: Memory, command: ExportAccount, ask: Ask) -> UserExport:
    """Oneself."""
    user, _session = acting(memory, command.access_token, ask)
    return _export(memory, user)


def export_user(memory: Memory, command: ExportUser, ask: Ask) -> UserExport:
    """Somebody, for an administrator who hands it to them."""
    administrator(memory, command.access_token, ask, "users:export")
    return _export(memory, named(memory, command.user_id))


def _export(memory: Memory, user: Account) -> UserExport:
    factor = user.factor
    tables: dict[str, list[Row]] = {
        "users": [_user(user)],
        "emails": [{"canonical": canonical(user.email), "user_id": user.id}] if user.email else [],
        "sessions": [
            {**_columns(each, _SESSION), "amr": " ".join(each.amr)}
            for each in memory.sessions.values()
            if each.user_id == user.id
        ],
        "codes": [
            {**_columns(each, _CODE), "credential_version": each.password_version}
            for each in codes.of(memory, user)
        ],
        "factors": [] if factor is None else [{"user_id": user.id, **_columns(factor, _FACTOR)}],
        "attempts": [],
        "audit_failures": [],
        "mails": [],
    }
    return UserExport(user_id=user.id, exported_at=memory.now, tables=to_jsonable_python(tables))


def _columns(row: object, names: tuple[str, ...]) -> Row:
    return {name: getattr(row, name) for name in names}


def _user(user: Account) -> Row:
    plain = ("id", "sequence", "status", "created_at", "email", "email_verified", "locked_until")
    return {
        **_columns(user, (*plain, "second_factor")),
        "credential_version": user.password_version,
        "roles": " ".join(user.roles),
        "profile": user.profile.model_dump(mode="json", exclude_none=True),
    }
