"""Log-ins that are refused, each for another reason, and the accounts behind them."""

from pydantic import SecretStr

from authbus import (
    Code,
    DeactivateUser,
    ForcePasswordReset,
    LogIn,
    Registered,
    RegisterUser,
    Rejected,
)
from tests.rig.crowd import PASSWORD, Crowd
from tests.rig.operators import by_operator
from tests.rig.world import World

# As many guesses as a setting allows, so that those who are measured are not locked.
MANY = 100
SETTINGS = {"guesses": MANY, "guesses_until_lock": MANY, "lock_seconds": 86_400}
WRONG = SecretStr("wrong horse battery")
REFUSED = Rejected.because(Code.INVALID_CREDENTIALS)
LOG_INS = {
    "wrong": LogIn(email="wrong@example.com", password=WRONG),
    "wrong again": LogIn(email="again@example.com", password=WRONG),
    "unknown": LogIn(email="nobody@example.com", password=WRONG),
    "no address": LogIn(email="no address", password=WRONG),
    "empty": LogIn(email="empty@example.com", password=SecretStr("")),
    "empty, unknown": LogIn(email="no.empty@example.com", password=SecretStr("")),
    "too long": LogIn(email="long@example.com", password=SecretStr("x" * 4000)),
    "shut, right": LogIn(email="shut@example.com", password=PASSWORD),
    "void, right": LogIn(email="void@example.com", password=PASSWORD),
    "locked": LogIn(email="locked@example.com", password=WRONG),
    "locked, right": LogIn(email="locked@example.com", password=PASSWORD),
    "locked, unknown": LogIn(email="no.locked@example.com", password=WRONG),
}
LOCKED = ("locked", "locked, unknown")


async def with_accounts(world: World) -> None:
    """Everybody of these log-ins who is somebody, and the locks."""
    draft = world.web.draft
    emails = {each.email for each in LOG_INS.values() if "@" in each.email}
    there = [each for each in sorted(emails) if not each.startswith("no")]
    registers = [draft(RegisterUser(email=each, password=PASSWORD)) for each in there]
    users = dict(zip(there, await Crowd(world).asked(registers, within=60), strict=True))
    for name, make in (("shut", DeactivateUser), ("void", ForcePasswordReset)):
        user = users[f"{name}@example.com"]
        assert isinstance(user, Registered)
        asked = by_operator(
            world, lambda by, make=make, id_=user.user_id: make(access_token=by, user_id=id_)
        )
        assert not isinstance(await world.web.ask(asked), Rejected)
    for name in LOCKED:
        guesses = [draft(LOG_INS[name], key=b"%d" % each) for each in range(MANY)]
        assert set(map(str, await Crowd(world).asked(guesses, within=60))) == {str(REFUSED)}
