"""ImportUser: an account that another system had, with the hash that it kept."""

from dataclasses import replace
from typing import Any

from authbus.addresses import canonical
from authbus.commands import ImportUser
from authbus.events import AnyEvent, EmailVerified, ProfileUpdated, UserCreated
from authbus.foreign_hashes.scheme import RefusedHashError
from authbus.profile import ProfileField, filled
from authbus.replies import Code, Rejected, UserIsImported
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.importing import imported_hash
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.users.profile import misnamed


async def prepare(command: ImportUser, _: Request, tools: Tools) -> Proof:
    """Judge address, hash and profile, so that nothing is claimed for what is refused."""
    proof, judged = tools.administering(command.access_token), _judged(command)
    return proof if isinstance(judged, Rejected) else replace(proof, claim=judged)


def decide(command: ImportUser, case: Case) -> Outcome:
    """The address is the new account's, or it is taken; its user is told nothing."""
    admin = administrator(case, Permission.USERS_IMPORT)
    if isinstance(admin, Code):
        return refused(admin)
    judged, user_id = _judged(command), case.request.derived.user_id
    if isinstance(judged, Rejected):
        return Outcome(judged)
    if not case.rows.may_have(judged.canonical, user_id):
        return refused(Code.EMAIL_TAKEN)
    told = {"user_id": user_id, "actor": admin.name, "causation_id": case.request.id}
    return Outcome(UserIsImported(user_id=user_id), _events(command, told))


def _judged(command: ImportUser) -> Claim | Rejected:
    """The address that is asked for, or what is wrong with the account; nothing is hashed."""
    address = canonical(command.email)
    if address is None:
        return Rejected.because(Code.EMAIL_INVALID)
    if wrong := misnamed(command):
        return Rejected.because(Code.INVALID, wrong)
    try:
        imported_hash(command)
    except RefusedHashError as error:
        return Rejected.because(Code.PASSWORD_HASH_REFUSED, str(error))
    return Claim(address, command.email)


def _events(command: ImportUser, told: dict[str, Any]) -> tuple[AnyEvent, ...]:
    events: list[AnyEvent] = [UserCreated(sequence=1, **told)]
    if command.email_verified:
        events.append(EmailVerified(sequence=2, **told))
    fields = tuple(map(ProfileField, filled(command)))
    if fields:
        sequence = len(events) + 1
        events.append(ProfileUpdated(sequence=sequence, profile_version=1, fields=fields, **told))
    return tuple(events)
