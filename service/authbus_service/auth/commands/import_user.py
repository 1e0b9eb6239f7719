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
    """Judge address, hash and profile; nothing is hashed."""
    address = canonical(command.email)
    if address is None:
        return Proof(refusal=Rejected.because(Code.EMAIL_INVALID))
    wrong = misnamed(command)
    if wrong:
        return Proof(refusal=Rejected.because(Code.INVALID, wrong))
    try:
        imported_hash(command)
    except RefusedHashError as error:
        return Proof(refusal=Rejected.because(Code.PASSWORD_HASH_REFUSED, str(error)))
    proof = tools.administering(command.access_token)
    return replace(proof, claim=Claim(address, command.email))


def decide(command: ImportUser, case: Case) -> Outcome:
    """The address is the new account's, or it is taken; its user is told nothing."""
    admin = administrator(case, Permission.USERS_IMPORT)
    if isinstance(admin, Code):
        return refused(admin)
    claim, user_id = case.proof.claim, case.request.derived.user_id
    if claim is None or not case.rows.may_have(claim.canonical, user_id):
        return refused(Code.EMAIL_TAKEN)
    told = {"user_id": user_id, "actor": admin.name, "causation_id": case.request.id}
    return Outcome(UserIsImported(user_id=user_id), _events(command, told))


def _events(command: ImportUser, told: dict[str, Any]) -> tuple[AnyEvent, ...]:
    events: list[AnyEvent] = [UserCreated(sequence=1, **told)]
    if command.email_verified:
        events.append(EmailVerified(sequence=2, **told))
    fields = tuple(map(ProfileField, filled(command)))
    if fields:
        sequence = len(events) + 1
        events.append(ProfileUpdated(sequence=sequence, profile_version=1, fields=fields, **told))
    return tuple(events)
