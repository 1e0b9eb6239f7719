"""Addresses that look like an account's: none is registered, none lets anybody in."""

from authbus import Code, LogIn, Registered, RegisterUser, Rejected
from authbus.message import Command
from authbus_service.core.ids import new_id
from tests.rig.crowd import PASSWORD, Crowd
from tests.rig.look_alikes import CONFUSABLE
from tests.rig.world import World

ACCOUNT = "abcdefghijklm.nopqrstuvwxyz-01_@shop.example"
LOOK_ALIKES = [
    ACCOUNT.replace(letter, other, 1) for letter, others in CONFUSABLE.items() for other in others
]
INVALID, WRONG = (Rejected.because(code) for code in (Code.EMAIL_INVALID, Code.INVALID_CREDENTIALS))


async def test_no_look_alike_of_an_account_registers_or_gets_in(world: World) -> None:
    crowd = Crowd(world)

    async def asked(make: type[RegisterUser | LogIn]) -> list[object]:
        commands: list[Command] = [make(email=each, password=PASSWORD) for each in LOOK_ALIKES]
        drafts = [world.web.draft(each, key=new_id().bytes) for each in commands]
        return [*await crowd.asked(drafts, within=60)]

    async with world.consuming():
        first = world.web.draft(RegisterUser(email=ACCOUNT, password=PASSWORD))
        assert isinstance(await world.web.ask(first), Registered)

        assert await asked(RegisterUser) == [INVALID] * len(LOOK_ALIKES)
        assert await asked(LogIn) == [WRONG] * len(LOOK_ALIKES)

    assert len(await world.rows("SELECT id FROM users")) == 1
    assert len(await world.events()) == 1
    assert len(set(LOOK_ALIKES)) > 150
