"""A known device on real servers: it lets its user in while others' guesses lock the account."""

from dataclasses import replace

from pydantic import SecretStr

from authbus import LoggedIn, LogIn, RegisterUser, UserLocked, UserUnlocked
from authbus.message import Reply
from tests.integration.consumers.guessing import (
    ANA,
    PATIENT,
    WRONG,
    Counting,
    asked,
    guess,
    register,
    right,
)
from tests.rig.crowd import PASSWORD
from tests.rig.mailed import queued, show
from tests.rig.world import World


async def log_in(
    world: World, device: SecretStr | None, email: str = ANA, name: str | None = None
) -> Reply:
    command = LogIn(email=email, password=PASSWORD, device_token=device, device=name)
    return await world.web.ask(world.web.draft(command))


async def a_device(world: World, email: str = ANA) -> SecretStr:
    session = await log_in(world, None, email)
    assert isinstance(session, LoggedIn)
    assert session.device_token is not None
    return session.device_token


async def test_a_known_device_lets_its_user_in_while_others_guesses_lock_the_account(
    world: World,
) -> None:
    hashes = Counting(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        device = await a_device(world)
        before = hashes.verified
        drafts = [guess(world, each) for each in range(200)]
        drafts.insert(100, right(world, device_token=device))
        answers = await asked(world, drafts)
        tried = hashes.verified - before
        without = await world.web.ask(right(world))
        again = await log_in(world, device)
        still_without = await world.web.ask(right(world))

    hashes.close()
    amid = answers.pop(100)
    assert answers == [WRONG] * 200
    assert tried == 5 + 1
    assert without == still_without == WRONG
    for session in (amid, again):
        assert isinstance(session, LoggedIn)
        assert session.device_token == device
    events = await world.events()
    assert sum(isinstance(each, UserLocked) for each in events) == 1
    assert not [each for each in events if isinstance(each, UserUnlocked)]


async def test_a_known_device_has_a_limit_of_its_own_which_locks_nobody_else_out(
    world: World,
) -> None:
    hashes = Counting(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        device = await a_device(world)
        before = hashes.verified
        guesses = [guess(world, each, device_token=device) for each in range(50)]
        answers = await asked(world, guesses)
        tried = hashes.verified - before
        by_device = await log_in(world, device)
        without = await world.web.ask(right(world))

    hashes.close()
    assert answers == [WRONG] * 50
    assert tried == 5
    assert by_device == WRONG
    assert isinstance(without, LoggedIn)
    assert not [each for each in await world.events() if isinstance(each, UserLocked)]


async def test_a_device_of_somebody_else_or_a_made_up_one_counts_as_none(world: World) -> None:
    bob = "bob@example.com"
    async with replace(world, settings=PATIENT).consuming():
        await register(world)
        await world.web.ask(world.web.draft(RegisterUser(email=bob, password=PASSWORD)))
        bobs = await a_device(world, bob)
        await asked(world, [guess(world, each, device_token=bobs) for each in range(5)])
        answers = [await log_in(world, each) for each in (bobs, SecretStr("made up"))]

    assert answers == [WRONG] * 2


async def test_a_devices_token_stands_nowhere_in_the_database(world: World) -> None:
    async with world.consuming():
        await register(world)
        token = (await a_device(world)).get_secret_value()

    dumped = [
        str(await world.rows(f"SELECT {table}::text FROM {table}"))
        for table in ("users", "sessions", "inbox", "outbox", "attempts")
    ]
    assert not [each for each in dumped if token in each or token.encode().hex() in each]


async def test_a_user_is_told_of_a_new_device_that_is_named_and_of_no_other(world: World) -> None:
    phone = "Firefox on Android"
    async with world.consuming():
        await register(world)
        await show(world, ANA)
        first = await log_in(world, None, name="Firefox on Linux")
        assert isinstance(first, LoggedIn)
        await log_in(world, first.device_token, name="Firefox on Linux")
        await log_in(world, None)
        silent = await queued(world)
        second = await log_in(world, None, name=phone)
        assert isinstance(second, LoggedIn)
        await log_in(world, second.device_token, name=phone)
        once = await queued(world)
        await log_in(world, SecretStr("no token of ours"))

    assert silent == [("verify_email", ANA)]
    assert once == [*silent, ("new_device", ANA)]
    assert await queued(world) == [*once, ("new_device", ANA)]
