"""Is what people know of themselves what the service knows of them?"""

from authbus import AuthRejected, Verifier
from authbus.client import Session
from authbus.errors import TokenInvalid
from tests.drill.asking import patiently
from tests.drill.person import CLERK, WRONG, Person


async def differences_of(person: Person, verifier: Verifier) -> list[str]:
    """What the service says of a person that is not so; they log in for it and out again."""
    found = [] if await _is_refused(person, WRONG) else ["a wrong password logs in"]
    if person.is_erased:
        found += [] if await _is_refused(person, person.password) else ["is not erased"]
    else:
        found += await _differences(person, verifier)
    found += [
        "a token of an ended session is taken" for each in person.ended if _is_taken(verifier, each)
    ]
    return [f"{person.email}: {each}" for each in found]


async def _differences(person: Person, verifier: Verifier) -> list[str]:
    auth, found = person.town.auth, list[str]()
    try:
        mine = await patiently(lambda: auth.log_in(person.email, person.password))
    except AuthRejected as refused:
        return [f"cannot log in: {refused.code}"]
    listed = await patiently(lambda: auth.sessions.list(mine.access_token))
    if {each.session_id for each in listed} != {*person.sessions, mine.session_id}:
        found.append(f"has {len(listed) - 1} sessions, expected {len(person.sessions)}")
    profile = await patiently(lambda: auth.profile.get(mine.access_token))
    if (profile.email, profile.profile.display_name) != (person.email, person.name):
        found.append("has another address or name")
    if (CLERK in verifier.verify(mine.access_token).roles) != person.is_clerk:
        found.append("has another role")
    await patiently(lambda: auth.log_out(mine))
    found += [
        "a token of a live session is refused"
        for each in person.sessions.values()
        if not _is_taken(verifier, each)
    ]
    return found


async def _is_refused(person: Person, password: str) -> bool:
    try:
        await patiently(lambda: person.town.auth.log_in(person.email, password))
    except AuthRejected:
        return True
    return False


def _is_taken(verifier: Verifier, session: Session) -> bool:
    try:
        verifier.verify(session.access_token)
    except TokenInvalid:
        return False
    return True
