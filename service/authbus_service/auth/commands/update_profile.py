"""UpdateProfile: a user changes what they say of themselves."""

from authbus.commands import UpdateProfile
from authbus.events import ProfileUpdated
from authbus.profile import ProfileField, changes
from authbus.replies import Code, ProfileSaved, Rejected
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.users.profile import misnamed


async def prepare(command: UpdateProfile, _: Request, tools: Tools) -> Proof:
    """Read the token; whether language and zone exist is the same for everybody."""
    wrong = misnamed(command)
    if wrong:
        return Proof(refusal=Rejected.because(Code.INVALID, wrong))
    return Proof(acting=tools.token(command.access_token.get_secret_value()))


def decide(command: UpdateProfile, case: Case) -> Outcome:
    """What differs is changed, unless somebody was faster. No difference, no event."""
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    profile = who.user.profile
    if command.profile_version != profile.version:
        return refused(Code.VERSION_CONFLICT, f"the profile's version is {profile.version}")
    changed = tuple(map(ProfileField, changes(command, profile)))
    if not changed:
        return Outcome(ProfileSaved(profile_version=profile.version))
    version = profile.version + 1
    updated = ProfileUpdated(**case.told(who.user), profile_version=version, fields=changed)
    return Outcome(ProfileSaved(profile_version=version), (updated,))
