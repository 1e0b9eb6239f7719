"""Fifty commands of five kinds, each of another user, each with one effect when it is handled."""

from collections.abc import Sequence
from dataclasses import dataclass

from authbus import (
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    ProfileSaved,
    Refreshed,
    RefreshSession,
    Registered,
    RegisterUser,
    Reply,
    UpdateProfile,
)
from authbus.message import Command
from tests.rig.crowd import PASSWORD, Crowd, email, key
from tests.rig.producing import Draft
from tests.rig.world import World

OF_EACH_KIND = 10
ANSWERS: tuple[type[Reply], ...] = (LoggedIn, Refreshed, ProfileSaved, LoggedOut, Registered)


@dataclass(frozen=True)
class Fifty:
    """The drafts, kind after kind in the order of `ANSWERS`."""

    world: World
    drafts: Sequence[Draft]

    async def asked(self) -> list[Reply]:
        """Send all, each once; returns the answers."""
        return await Crowd(self.world).asked(self.drafts, within=60)


async def fifty(world: World) -> Fifty:
    """Drafts of users who have registered, most of them with a session; consumers must run."""
    crowd, count = Crowd(world), OF_EACH_KIND
    sessions = await crowd.with_sessions(4 * count)
    commands: list[Command] = [
        *(LogIn(email=email(each), password=PASSWORD) for each in range(count)),
        *(
            RefreshSession(session_id=each.session_id, refresh_token=each.refresh_token)
            for each in sessions[count : 2 * count]
        ),
        *(
            UpdateProfile(
                access_token=each.access_token, profile_version=0, display_name="Ana of the fifty"
            )
            for each in sessions[2 * count : 3 * count]
        ),
        *(
            LogOut(session_id=each.session_id, refresh_token=each.refresh_token)
            for each in sessions[3 * count :]
        ),
        *(
            RegisterUser(email=email(each), password=PASSWORD)
            for each in range(4 * count, 5 * count)
        ),
    ]
    drafts = [world.web.draft(each, key=key(user)) for user, each in enumerate(commands)]
    return Fifty(world, drafts)


def all_had_their_effect(answers: Sequence[Reply]) -> bool:
    """Whether each of the fifty was answered as one that was done."""
    kinds = [kind for kind in ANSWERS for _ in range(OF_EACH_KIND)]
    return [type(each) for each in answers] == kinds
