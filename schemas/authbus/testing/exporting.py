"""All that is held of a user, as the service's tables have it.

What those hold for moments or by hashes alone is in none of these exports: wrong guesses, mails on
their way, what auditors are still to be told.
"""

from pydantic_core import to_jsonable_python

from authbus.addresses import canonical
from authbus.admin_commands import ExportUser
from authbus.commands import ExportAccount
from authbus.export_pages import ExportPage, Place, Row
from authbus.replies import UserExport
from authbus.testing import codes
from authbus.testing.acting import acting
from authbus.testing.memory import Ask, Memory
from authbus.testing.permitting import administrator, named
from authbus.testing.rows import Account, Factor, derived_bytes

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


def export_account(memory: Memory, command: ExportAccount, ask: Ask) -> UserExport:
    """Oneself."""
    user, _session = acting(memory, command.access_token, ask)
    return _export(memory, user, command.after)


def export_user(memory: Memory, command: ExportUser, ask: Ask) -> UserExport:
    """Somebody, for an administrator who hands it to them."""
    administrator(memory, command.access_token, ask, "users:export")
    return _export(memory, named(memory, command.user_id), command.after)


def _export(memory: Memory, user: Account, after: str | None) -> UserExport:
    page, place = ExportPage(user.id, memory.now), Place.of(after)
    for table, rows in sorted(_tables(memory, user).items()):
        behind = place.in_table(table)
        if behind is None:
            continue
        told = ((key, to_jsonable_python(row)) for key, row in sorted(rows.items()) if key > behind)
        if not page.take(table, told):
            break
    return page.reply()


def _tables(memory: Memory, user: Account) -> dict[str, dict[str, Row]]:
    """The rows by table and key: a code's is a hash, as the service has it."""
    its, factor = str(user.id), user.factor
    return {
        "users": {its: _user(user)},
        "emails": _email(user),
        "sessions": {
            str(each.id): {**_columns(each, _SESSION), "amr": " ".join(each.amr)}
            for each in memory.sessions.values()
            if each.user_id == user.id
        },
        "codes": {
            derived_bytes("hash", each.text).hex(): {
                **_columns(each, _CODE),
                "credential_version": each.password_version,
            }
            for each in codes.of(memory, user)
        },
        "factors": {} if factor is None else {its: _factor(user, factor)},
        "attempts": {},
        "audit_failures": {},
        "mails": {},
    }


def _email(user: Account) -> dict[str, Row]:
    address = canonical(user.email)
    return {} if address is None else {address: {"canonical": address, "user_id": user.id}}


def _factor(user: Account, factor: Factor) -> Row:
    return {"user_id": user.id, **_columns(factor, _FACTOR)}


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
