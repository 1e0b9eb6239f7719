"""Accounts that another system had."""

from authbus.addresses import canonical
from authbus.admin_commands import ImportUser
from authbus.events import EmailVerified, ProfileUpdated, UserCreated
from authbus.foreign_hashes.hashes import accepted
from authbus.foreign_hashes.scheme import RefusedHashError
from authbus.profile import Profile, ProfileField, filled
from authbus.replies import Code, UserIsImported
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.permitting import administrator
from authbus.testing.rows import Account, derived_id


def import_user(memory: Memory, command: ImportUser, ask: Ask) -> UserIsImported:
    """The address is the new account's, or it is taken; its user is told nothing."""
    actor = f"admin:{administrator(memory, command.access_token, ask, 'users:import').id}"
    address = canonical(command.email)
    if address is None:
        raise Refusal(Code.EMAIL_INVALID)
    kept = _hash(command)
    if address in memory.addresses:
        raise Refusal(Code.EMAIL_TAKEN)
    profile = filled(command)
    user = Account(derived_id("user", ask.id), command.email, memory.now, foreign_hash=kept)
    user.profile = Profile(**profile)
    memory.users[user.id], memory.addresses[address] = user, user.id
    memory.tell(user, UserCreated, ask.id, actor=actor)
    if command.email_verified:
        user.email_verified = True
        memory.tell(user, EmailVerified, ask.id, actor=actor)
    if profile:
        user.profile = user.profile.model_copy(update={"version": 1})
        fields = tuple(map(ProfileField, profile))
        memory.tell(user, ProfileUpdated, ask.id, actor=actor, profile_version=1, fields=fields)
    return UserIsImported(user_id=user.id)


def _hash(command: ImportUser) -> str:
    given = command.password_hash
    try:
        return "" if given is None else accepted(given.get_secret_value())
    except RefusedHashError as error:
        raise Refusal(Code.PASSWORD_HASH_REFUSED, str(error)) from None
