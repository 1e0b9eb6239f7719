"""Users of other systems on real servers: in by the password they had, then argon2id."""

import asyncio
from typing import Any

from pydantic import SecretStr

from authbus import (
    Code,
    Command,
    CompletePasswordReset,
    GetProfile,
    ImportUser,
    LoggedIn,
    LogIn,
    RegisterUser,
    Rejected,
    Reply,
    RequestPasswordReset,
    UserCreated,
    UserIsImported,
    UserProfile,
)
from authbus_service.auth.codes.code import Purpose
from tests.rig.mailed import code, queued
from tests.rig.operators import by_operator
from tests.rig.producing import Draft
from tests.rig.world import World
from tests.unit.passwords.test_foreign import BCRYPT, COSTLY, KNOWN

ANA, PASSWORD = "Ana@example.com", SecretStr("correct horse battery")


def importing(world: World, email: str, **more: Any) -> Draft:
    def make(proof: SecretStr) -> ImportUser:
        return ImportUser.model_validate({"access_token": proof, "email": email, **more})

    return by_operator(world, make)


async def ask(world: World, command: Command) -> Reply:
    return await world.web.ask(world.web.draft(command))


async def hashes(world: World) -> dict[str, str]:
    rows = await world.rows("SELECT email, password_hash FROM users")
    return {row["email"]: row["password_hash"] for row in rows}


async def test_each_scheme_lets_its_user_in_and_is_argon2id_from_then_on(world: World) -> None:
    users = {f"user{at}@example.com": known for at, known in enumerate(KNOWN.values())}
    async with world.consuming():
        imported = await asyncio.gather(
            *(
                world.web.ask(importing(world, email, password_hash=hashed))
                for email, (hashed, _) in users.items()
            )
        )
        before = await hashes(world)
        wrong, right, again = [
            [
                await ask(world, LogIn(email=email, password=SecretStr(password + more)))
                for email, (_, password) in users.items()
            ]
            for more in ("x", "", "")
        ]

    assert {type(each) for each in imported} == {UserIsImported}
    assert wrong == [Rejected.because(Code.INVALID_CREDENTIALS)] * len(users)
    assert {type(each) for each in (*right, *again)} == {LoggedIn}
    assert sum(each.startswith("$argon2id$v=19$m=8,t=1,p=1$") for each in before.values()) == 0
    after = await hashes(world)
    assert all(each.startswith("$argon2id$v=19$m=8,t=1,p=1$") for each in after.values())
    assert await queued(world) == []


async def test_an_import_has_its_effect_once_and_a_second_run_changes_nothing(
    world: World,
) -> None:
    draft = importing(world, ANA, password_hash=BCRYPT)
    async with world.consuming():
        answers = [await world.web.ask(draft) for _ in range(2)]
        second = [
            await world.web.ask(importing(world, each, password_hash=BCRYPT))
            for each in (ANA, ANA.lower())
        ]
        registering = await ask(world, RegisterUser(email=ANA, password=PASSWORD))

    assert isinstance(answers[0], UserIsImported)
    assert answers[0] == answers[1]
    assert [*second, registering] == [Rejected.because(Code.EMAIL_TAKEN)] * 3
    assert [type(each) for each in await world.events()] == [UserCreated]
    assert await hashes(world) == {ANA: BCRYPT}


async def test_a_refused_hash_names_its_rule_and_leaves_the_address_free(world: World) -> None:
    costly, rule = COSTLY["bcrypt, cost 31"]
    async with world.consuming():
        refused = await world.web.ask(importing(world, ANA, password_hash=costly))
        user = await ask(world, RegisterUser(email=ANA, password=PASSWORD))
        session = await ask(world, LogIn(email=ANA, password=PASSWORD))
        assert isinstance(session, LoggedIn)
        token = session.access_token
        as_user = await ask(world, ImportUser(access_token=token, email="eve@example.com"))

    assert refused == Rejected.because(Code.PASSWORD_HASH_REFUSED, rule)
    assert not isinstance(user, Rejected)
    assert as_user == Rejected.because(Code.FORBIDDEN)
    assert len(await world.rows("SELECT * FROM emails")) == 1


async def test_a_user_without_a_hash_sets_a_password_by_mail_and_has_their_profile(
    world: World,
) -> None:
    async with world.consuming():
        await world.web.ask(
            importing(world, ANA, email_verified=True, display_name="Ana", attributes={"n": 1})
        )
        none = await ask(world, LogIn(email=ANA, password=SecretStr("")))
        await ask(world, RequestPasswordReset(email=ANA))
        found = SecretStr(await code(world, Purpose.RESET_PASSWORD, ANA))
        await ask(world, CompletePasswordReset(code=found, new_password=PASSWORD))
        session = await ask(world, LogIn(email=ANA, password=PASSWORD))
        assert isinstance(session, LoggedIn)
        shown = await ask(world, GetProfile(access_token=session.access_token))

    assert none == Rejected.because(Code.INVALID_CREDENTIALS)
    assert isinstance(shown, UserProfile)
    profile = shown.profile
    assert (profile.version, profile.display_name, profile.attributes) == (1, "Ana", {"n": 1})
