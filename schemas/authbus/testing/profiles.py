"""What a user says of themselves, and the address that they have."""

from authbus.addresses import canonical
from authbus.commands import (
    ChangeEmail,
    ConfirmEmailChange,
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
    ProfileUpdated,
)
from authbus.profile import ProfileField, changes
from authbus.replies import (
    Code,
    EmailIsChanged,
    EmailIsVerified,
    MailQueued,
    ProfileSaved,
    UserProfile,
)
from authbus.state import UserKind
from authbus.testing import codes, guessing, mailing
from authbus.testing.acting import acting, acting_afresh
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import LIFETIMES


def get_profile(memory: Memory, command: GetProfile, ask: Ask) -> UserProfile:
    """The user's own."""
    user, _session = acting(memory, command.access_token, ask)
    return UserProfile(user_id=user.id, email=user.email or None, profile=user.profile)


def update_profile(memory: Memory, command: UpdateProfile, ask: Ask) -> ProfileSaved:
    """What differs is changed, unless somebody was faster."""
    user, _ = acting(memory, command.access_token, ask)
    profile = user.profile
    if command.profile_version != profile.version:
        raise Refusal(Code.VERSION_CONFLICT, f"the profile's version is {profile.version}")
    changed = changes(command, profile)
    if changed:
        version = profile.version + 1
        user.profile = profile.model_copy(update={**changed, "version": version})
        fields = tuple(map(ProfileField, changed))
        memory.tell(user, ProfileUpdated, ask.id, profile_version=version, fields=fields)
    return ProfileSaved(profile_version=user.profile.version)


def verify_email(memory: Memory, command: VerifyEmail, ask: Ask) -> EmailIsVerified:
    """Whoever has the code has read the mail."""
    code, user = codes.found(memory, command.code, Code.CODE_INVALID)
    if code.purpose != "verify_email" or code.address != user.email:
        raise Refusal(Code.CODE_INVALID)
    if not user.email_verified:
        if not code.is_open("verify_email", memory.now):
            raise Refusal(Code.CODE_INVALID)
        user.email_verified = True
        codes.spend(memory, user, "verify_email")
        memory.tell(user, EmailVerified, ask.id)
    return EmailIsVerified(user_id=user.id)


def resend_verification(memory: Memory, command: ResendVerification, ask: Ask) -> MailQueued:
    """One more mail, unless there is no need or there were too many."""
    user, _ = acting(memory, command.access_token, ask)
    if user.kind == UserKind.SERVICE:
        raise Refusal(Code.FORBIDDEN)
    if user.email_verified:
        raise Refusal(Code.EMAIL_VERIFIED)
    if not (codes.may_make(memory, user, "verify_email") and mailing.may_send(memory, user)):
        raise Refusal(Code.TOO_SOON)
    memory.tell(user, EmailVerificationRequested, ask.id)
    mailing.send(memory, user, "verify_email", ask.id)
    return MailQueued(expires_at=memory.now + LIFETIMES["verify_email"])


def change_email(memory: Memory, command: ChangeEmail, ask: Ask) -> MailQueued:
    """A mail to the new address; nothing changes yet."""
    address = canonical(command.new_email)
    if address is None:
        raise Refusal(Code.EMAIL_INVALID)
    user, _ = acting_afresh(memory, command.access_token, ask)
    key = guessing.prove(memory, user, command.password.get_secret_value())
    if not codes.may_make(memory, user, "change_email"):
        raise Refusal(Code.TOO_SOON)
    guessing.count_change(memory, user, address)
    if address in memory.addresses:
        raise Refusal(Code.EMAIL_TAKEN)
    guessing.count_mail(memory, address)
    guessing.clear(memory, key)
    codes.spend(memory, user, "change_email")
    memory.tell(user, EmailChangeRequested, ask.id)
    mailing.send(memory, user, "change_email", ask.id, command.new_email)
    return MailQueued(expires_at=memory.now + LIFETIMES["change_email"])


def confirm_email_change(memory: Memory, command: ConfirmEmailChange, ask: Ask) -> EmailIsChanged:
    """The new address takes the old one's place, and the old one is told."""
    code, user = codes.found(memory, command.code, Code.CODE_INVALID)
    if code.purpose != "change_email":
        raise Refusal(Code.CODE_INVALID)
    if code.used_at is not None and code.address == user.email:
        return EmailIsChanged(user_id=user.id)
    if not code.is_open("change_email", memory.now):
        raise Refusal(Code.CODE_INVALID)
    address, former = canonical(code.address) or "", user.email
    was_shown = user.email_verified
    if address in memory.addresses:
        raise Refusal(Code.EMAIL_TAKEN)
    del memory.addresses[canonical(former) or ""]
    memory.addresses[address] = user.id
    user.email, user.email_verified = code.address, True
    for purpose in LIFETIMES:
        codes.spend(memory, user, purpose)
    memory.tell(user, EmailChanged, ask.id)
    if was_shown:
        mailing.send(memory, user, "email_changed", ask.id, former)
    return EmailIsChanged(user_id=user.id)
