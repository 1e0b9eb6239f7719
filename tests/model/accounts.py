"""The rules of one's own account: profile, address, password, the end of it."""

import json

from authbus.code import Code as Refusal
from authbus.commands import (
    ChangeEmail,
    ConfirmEmailChange,
    EraseAccount,
    ExportAccount,
    GetProfile,
    ResendVerification,
    UpdateProfile,
    VerifyEmail,
)
from authbus.events import (
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    EndReason,
    ProfileUpdated,
    UserErased,
)
from authbus.replies import (
    EmailIsChanged,
    EmailIsVerified,
    MailQueued,
    ProfileSaved,
    UserExport,
    UserIsErased,
    UserProfile,
)
from authbus.topics import COMMANDS_KEPT
from authbus_service.auth.mails import Template
from tests.model.entering import NO_ADDRESS
from tests.model.expected import By, Expected, Letter, Told, all_ended, notice, refused
from tests.model.factors import by_password
from tests.model.people import CHALLENGE, CHANGE, LIVES, RESET, VERIFY, Account, Model

PROFILES = ("display_name", "locale", "time_zone", "picture_url", "attributes")
NO_LOCALE = "xx-nowhere"


def get_profile(model: Model, asked: GetProfile, _: By) -> Expected:
    mine = model.holder(asked.access_token.get_secret_value())
    if mine is None:
        return refused(Refusal.INVALID_TOKEN)
    account = mine.owner
    says = {"version": account.version, **account.profile}

    def learn(reply: UserProfile) -> None:
        if reply.profile.model_dump(exclude_none=True) != says:
            raise AssertionError(f"another profile is shown than {says}")

    return Expected(UserProfile, {"user_id": account, "email": account.email or None}, learn=learn)


def update_profile(model: Model, asked: UpdateProfile, _: By) -> Expected:
    if asked.locale == NO_LOCALE:
        return refused(Refusal.INVALID)
    mine = model.holder(asked.access_token.get_secret_value())
    if mine is None:
        return refused(Refusal.INVALID_TOKEN)
    account = model.focus = mine.owner
    if asked.profile_version != account.version:
        return refused(Refusal.VERSION_CONFLICT)
    named = [each for each in PROFILES if each in asked.model_fields_set]
    changed = tuple(
        each for each in named if _json(getattr(asked, each)) != _json(account.profile.get(each))
    )
    told = keep_profile(account, {each: getattr(asked, each) for each in changed})
    return Expected(ProfileSaved, {"profile_version": account.version}, told)


def keep_profile(account: Account, changes: dict[str, object]) -> list[Told]:
    """These fields have new values, None clears one; without any nothing is told."""
    if not changes:
        return []
    account.version += 1
    merged = {**account.profile, **changes}
    account.profile = {name: value for name, value in merged.items() if value is not None}
    says = {"profile_version": account.version, "fields": tuple(changes)}
    return [Told(ProfileUpdated, account, says)]


def verify_email(model: Model, asked: VerifyEmail, _: By) -> Expected:
    code = model.by_code(asked.code.get_secret_value())
    if code is None or code.purpose != VERIFY or not code.owner.is_active:
        return refused(Refusal.CODE_INVALID)
    account = code.owner
    if code.address != account.email:
        return refused(Refusal.CODE_INVALID)
    if account.is_verified:
        return Expected(EmailIsVerified, {"user_id": account})
    if not code.is_open(VERIFY, model.at):
        return refused(Refusal.CODE_INVALID)
    return Expected(EmailIsVerified, {"user_id": account}, [verified(account)])


def verified(account: Account) -> Told:
    """The address is its user's."""
    account.is_verified = True
    account.spend(VERIFY)
    return Told(EmailVerified, account)


def resend_verification(model: Model, asked: ResendVerification, _: By) -> Expected:
    mine = model.holder(asked.access_token.get_secret_value())
    if mine is None:
        return refused(Refusal.INVALID_TOKEN)
    account = model.focus = mine.owner
    if not account.email:
        return refused(Refusal.FORBIDDEN)
    if account.is_verified:
        return refused(Refusal.EMAIL_VERIFIED)
    if not (account.may_mail(VERIFY, model.at) and model.may_write_to(account)):
        return refused(Refusal.TOO_SOON)
    mail = Letter(
        Template.VERIFY_EMAIL, account.email, account.code(VERIFY, model.at, account.email)
    )
    until = {"expires_at": model.at + LIVES[VERIFY]}
    return Expected(MailQueued, until, [Told(EmailVerificationRequested, account)], [mail])


def change_email(model: Model, asked: ChangeEmail, _: By) -> Expected:
    if asked.new_email == NO_ADDRESS:
        return refused(Refusal.EMAIL_INVALID)
    who = by_password(model, asked.access_token, asked.password)
    if isinstance(who, Refusal):
        return refused(who)
    guesses, asker = model.guesses, str(who.account.id)
    if not who.account.may_mail(CHANGE, model.at):
        return refused(Refusal.TOO_SOON)
    if not guesses.may_change(asker, asked.new_email, model.at):
        return refused(Refusal.TOO_SOON)
    if model.by_address(asked.new_email):
        return refused(Refusal.EMAIL_TAKEN)
    guesses.may_mail(asked.new_email, model.at)
    model.guesses.clear(who.key)
    who.account.spend(CHANGE)
    code = who.account.code(CHANGE, model.at, asked.new_email)
    return Expected(
        MailQueued,
        {"expires_at": code.expires},
        [Told(EmailChangeRequested, who.account)],
        [Letter(Template.CHANGE_EMAIL, asked.new_email, code)],
    )


def confirm_email_change(model: Model, asked: ConfirmEmailChange, _: By) -> Expected:
    code = model.by_code(asked.code.get_secret_value())
    if code is None or code.purpose != CHANGE or not code.owner.is_active:
        return refused(Refusal.CODE_INVALID)
    account = code.owner
    if code.is_used and code.address == account.email:
        return Expected(EmailIsChanged, {"user_id": account})
    if not code.is_open(CHANGE, model.at):
        return refused(Refusal.CODE_INVALID)
    if model.by_address(code.address):
        return refused(Refusal.EMAIL_TAKEN)
    told = [Told(EmailChanged, account)]
    mails = notice(account, Template.EMAIL_CHANGED)
    account.email, account.is_verified = code.address, True
    account.spend(VERIFY, CHANGE, RESET, CHALLENGE)
    return Expected(EmailIsChanged, {"user_id": account}, told, mails)


def erase_account(model: Model, asked: EraseAccount, _: By) -> Expected:
    who = by_password(model, asked.access_token, asked.password)
    return refused(who) if isinstance(who, Refusal) else erased(model, who.account)


def erased(model: Model, account: Account) -> Expected:
    """All of it is gone; its address is free, and whoever asks by its tokens is nobody."""
    ends = all_ended(model, account, EndReason.ERASED)
    model.accounts.remove(account)
    model.gone.append(account)
    model.guesses.forget(account)
    for each in account.sessions:
        each.ended = model.at
    gone_at = model.at + COMMANDS_KEPT
    says = {"user_id": account, "sessions_ended": len(ends), "commands_gone_at": gone_at}
    return Expected(UserIsErased, says, [*ends, Told(UserErased, account)])


def export_account(model: Model, asked: ExportAccount, _: By) -> Expected:
    mine = model.holder(asked.access_token.get_secret_value())
    if mine is None:
        return refused(Refusal.INVALID_TOKEN)
    return exported(mine.owner)


def exported(account: Account) -> Expected:
    """Every session and code that is held, and the user alone."""

    def learn(reply: UserExport) -> None:
        held = {table: len(rows) for table, rows in reply.tables.items()}
        right = {"users": 1, "sessions": len(account.sessions), "codes": len(account.codes)}
        wrong = {name: held[name] for name in right if held[name] != right[name]}
        if wrong:
            raise AssertionError(f"an export holds {wrong}, expected {right}")

    return Expected(UserExport, {"user_id": account}, learn=learn)


def _json(value: object) -> str:
    """What tells values apart: true is not 1, and 1 is not 1.0."""
    return json.dumps(value, sort_keys=True)
