"""The rules of administrators that make accounts, and look at them."""

from datetime import timedelta
from typing import Any

from authbus.admin_commands import ExportUser, FindUsers, GetUser, ImportUser
from authbus.code import Code as Refusal
from authbus.events import EndReason, UserCreated
from authbus.replies import FoundUsers, UserDetails, UserEntry, UserIsImported
from authbus.service_accounts import (
    CreateServiceAccount,
    RotateServiceSecret,
    ServiceSecret,
    ServiceSecretRotated,
)
from tests.model.accounts import NO_LOCALE, PROFILES, exported, keep_profile, verified
from tests.model.administering import administrator
from tests.model.entering import NO_ADDRESS, PASSWORDS
from tests.model.expected import By, Expected, Told, all_ended, refused
from tests.model.people import MACHINE, Account, Code, Model
from tests.model.sessions import entry, shown_sessions

# argon2id of the first password, as another system kept it: 8 KiB, one pass.
IMPORTED = (
    "$argon2id$v=19$m=8,t=1,p=1$c29tZSBzYWx0IHRvIHVzZQ$HExN4BwZoisBNc4hkxnXivVSqEPx6Wf6K3pMZRB0oa8"
)
NO_HASH = "$1$salt$no hash that is taken"


def import_user(model: Model, asked: ImportUser, by: By) -> Expected:
    """No mail goes out; without a hash there is no password."""
    kept = None if asked.password_hash is None else asked.password_hash.get_secret_value()
    admin = administrator(model, asked.access_token, by, "users:import")
    if isinstance(admin, Refusal):
        return refused(admin)
    if asked.email == NO_ADDRESS:
        return refused(Refusal.EMAIL_INVALID)
    if asked.locale == NO_LOCALE:
        return refused(Refusal.INVALID)
    if kept == NO_HASH:
        return refused(Refusal.PASSWORD_HASH_REFUSED)
    if model.by_address(asked.email):
        return refused(Refusal.EMAIL_TAKEN)
    account = model.focus = Account(
        asked.email, model.at, password=None if kept is None else PASSWORDS[0]
    )
    model.accounts.append(account)
    told = [Told(UserCreated, account)]
    if asked.email_verified:
        told.append(verified(account))
    named = {each: getattr(asked, each) for each in PROFILES}
    told += keep_profile(account, {name: value for name, value in named.items() if value})
    return Expected(UserIsImported, told=told, learn=lambda reply: _named(account, reply))


def create_service_account(model: Model, asked: CreateServiceAccount, by: By) -> Expected:
    admin = administrator(model, asked.access_token, by, "services:write", sensitive=True)
    if isinstance(admin, Refusal):
        return refused(admin)
    account = model.focus = Account("", model.at, profile={"display_name": asked.name})
    model.accounts.append(account)
    return _secret(model, account, [Told(UserCreated, account, {"kind": "service"})])


def rotate_service_secret(model: Model, asked: RotateServiceSecret, by: By) -> Expected:
    """A new secret beside those of before, which are good a while longer."""
    admin = administrator(model, asked.access_token, by, "services:write", sensitive=True)
    if isinstance(admin, Refusal):
        return refused(admin)
    account = model.by_id(asked.user_id)
    if account is None or account.email:
        return refused(Refusal.USER_UNKNOWN)
    if not admin.may_give(model.policy.roles.permissions(account.roles)):
        return refused(Refusal.FORBIDDEN)
    until = model.at + timedelta(hours=asked.overlap_hours)
    for each in account.codes:
        if each.is_open(MACHINE, model.at):
            each.expires = min(each.expires, until)
    told = [Told(ServiceSecretRotated, account, {"former_until": until})]
    if not asked.overlap_hours:
        told += all_ended(model, account, EndReason.SECRET_ROTATED)
    return _secret(model, account, told)


def export_user(model: Model, asked: ExportUser, by: By) -> Expected:
    admin = administrator(model, asked.access_token, by, "users:export")
    if isinstance(admin, Refusal):
        return refused(admin)
    account = model.by_id(asked.user_id)
    return refused(Refusal.USER_UNKNOWN) if account is None else exported(account)


def get_user(model: Model, asked: GetUser, by: By) -> Expected:
    admin = administrator(model, asked.access_token, by, "users:read")
    if isinstance(admin, Refusal):
        return refused(admin)
    account = model.by_id(asked.user_id)
    if account is None:
        return refused(Refusal.USER_UNKNOWN)
    model.focus = account
    live = shown_sessions(account, model.at)

    def learn(reply: UserDetails) -> None:
        if _entry(reply.user) != _row(account):
            raise AssertionError(f"another user is shown than {_row(account)}")
        going = [each for each in reply.sessions if each.session_id in model.seen().live]
        if [entry(each) for each in going] != live:
            raise AssertionError(f"other sessions are shown than {live}")
        if not asked.ended_sessions and len(going) < len(reply.sessions):
            raise AssertionError("sessions that are over are shown")

    return Expected(UserDetails, {"sequence": account.events}, learn=learn)


def find_users(model: Model, asked: FindUsers, by: By) -> Expected:
    """By address, or all in the order of their coming; a page at a time."""
    admin = administrator(model, asked.access_token, by, "users:read")
    if isinstance(admin, Refusal):
        return refused(admin)
    prefix = (asked.email_prefix or "").lower()
    found = [
        each
        for each in model.accounts
        if each.email.lower().startswith(prefix)
        and (each.email or not prefix)
        and asked.status in {None, "active" if each.is_active else "deactivated"}
    ]
    if prefix:
        found.sort(key=lambda each: each.email.lower())
    right = [_row(each) for each in found[: asked.limit]]

    def learn(reply: FoundUsers) -> None:
        if [_entry(each) for each in reply.users] != right:
            raise AssertionError(f"other users are found than {right}")
        if (reply.next is not None) != (len(found) > asked.limit):
            raise AssertionError("the next page is not where it is")

    return Expected(FoundUsers, learn=learn)


def _secret(model: Model, account: Account, told: list[Told]) -> Expected:
    code = account.code(MACHINE, model.at)

    def learn(reply: ServiceSecret) -> None:
        _named(account, reply)
        _take(code, reply)

    return Expected(ServiceSecret, {"expires_at": code.expires}, told, learn=learn)


def _named(account: Account, reply: UserIsImported | ServiceSecret) -> None:
    if account.id not in {None, reply.user_id}:
        raise AssertionError("another account is named")
    account.id = reply.user_id


def _take(code: Code, reply: ServiceSecret) -> None:
    code.text = reply.secret.get_secret_value()


def _entry(found: UserEntry) -> dict[str, Any]:
    return found.model_dump(mode="json", exclude_none=True) | {"created_at": found.created_at}


def _row(account: Account) -> dict[str, Any]:
    """A line of a list of accounts."""
    named = {"email": account.email} if account.email else {}
    return named | {
        "user_id": str(account.id),
        "kind": "person" if account.email else "service",
        "email_verified": account.is_verified,
        "second_factor": account.has_factor,
        "status": "active" if account.is_active else "deactivated",
        "roles": sorted(account.roles),
        "created_at": account.made,
    }
