"""An administrator forgets what was guessed wrong of a user, be their account locked or not."""

from dataclasses import replace

from pydantic import SecretStr

from authbus import ChangePassword, LoggedIn, Registered, RegisterUser, UnlockUser, UserUnlocked
from authbus.commands import AnyCommand
from authbus.message import Reply
from authbus.second_factor import CompleteLogIn, StepUp
from tests.integration.consumers.guessing import ANA, PATIENT, WRONG, asked, guess, right
from tests.rig.authenticator import challenged, enrolled, stepped_up
from tests.rig.crowd import PASSWORD
from tests.rig.operators import by_operator
from tests.rig.world import World

NO = SecretStr("000000")


async def five_times(world: World, command: AnyCommand) -> Reply:
    """The last of five answers."""
    return [await world.web.ask(world.web.draft(command)) for _ in range(5)][-1]


async def unlocked(world: World, user: Registered) -> None:
    command = by_operator(world, lambda by: UnlockUser(access_token=by, user_id=user.user_id))
    await world.web.ask(command)


async def test_an_unlocking_forgets_guesses_that_locked_no_account(world: World) -> None:
    async with replace(world, settings=PATIENT).consuming():
        await asked(world, [guess(world, each) for each in range(5)])
        user = await world.web.ask(world.web.draft(RegisterUser(email=ANA, password=PASSWORD)))
        assert isinstance(user, Registered)
        before = await world.web.ask(right(world))
        await unlocked(world, user)
        session = await world.web.ask(right(world))

        assert before == WRONG
        assert isinstance(session, LoggedIn)
        change = ChangePassword(
            access_token=session.access_token, current_password=NO, new_password=PASSWORD
        )
        await five_times(world, change)
        await unlocked(world, user)
        app = await enrolled(world, session)

        challenge = await challenged(world, ANA)
        await five_times(world, CompleteLogIn(challenge=challenge, code=NO))
        await unlocked(world, user)
        half = CompleteLogIn(challenge=challenge, code=app.code())
        entered = await world.web.ask(world.web.draft(half))
        assert isinstance(entered, LoggedIn)

        await five_times(world, StepUp(access_token=session.access_token, code=NO))
        await unlocked(world, user)
        await stepped_up(world, session, app.recovery_code())

    assert not [each for each in await world.events() if isinstance(each, UserUnlocked)]
