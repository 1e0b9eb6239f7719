"""The tables are what the events of administrators and of erased users say."""

from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

from pydantic import SecretStr

from authbus import (
    CompletePasswordReset,
    CreateServiceAccount,
    DeactivateUser,
    EraseAccount,
    EraseUser,
    ForcePasswordReset,
    GrantRole,
    ImportUser,
    LogIn,
    LogInService,
    ReactivateUser,
    Rejected,
    RequestPasswordReset,
    RevokeRole,
    RotateServiceSecret,
    ServiceSecret,
)
from authbus.message import Command
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.rows import Rows
from tests.integration.consumers.test_fold import Fold, by_id, row, tables, told
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.mailed import code
from tests.rig.opened import opened
from tests.rig.operators import by_operator
from tests.rig.world import World
from tests.unit.passwords.test_foreign import BCRYPT

Make = Callable[[SecretStr], Command]


def asked(users: list[UUID]) -> list[Make]:
    """What an operator does to four users."""
    one, two, three, four = users
    return [
        lambda proof: GrantRole(access_token=proof, user_id=one, role="admin"),
        lambda proof: GrantRole(access_token=proof, user_id=two, role="admin"),
        lambda proof: RevokeRole(access_token=proof, user_id=two, role="admin"),
        lambda proof: DeactivateUser(access_token=proof, user_id=two),
        lambda proof: DeactivateUser(access_token=proof, user_id=three),
        lambda proof: ReactivateUser(access_token=proof, user_id=three),
        lambda proof: EraseUser(access_token=proof, user_id=four),
    ]


async def folded(world: World) -> Fold:
    """All that was told, applied to nothing."""
    fold = Fold(await opened(world), {"first": world.hashes.hasher}, Rows())
    for event, at, _ in await told(world):
        fold.add(event, at, "first")
    return fold


async def test_what_administrators_did_and_who_is_erased_fold_into_the_tables(
    world: World,
) -> None:
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        sessions = await crowd.with_sessions(6)
        erase = EraseAccount(access_token=sessions[4].access_token, password=PASSWORD)
        answers = [await web.ask(web.draft(erase))]
        made = asked([each.user_id for each in sessions[:4]])
        answers += [await web.ask(by_operator(world, make)) for make in made]

    fold = await folded(world)

    users, sessions_, emails, codes = await tables(world)
    assert not [each for each in answers if isinstance(each, Rejected)]
    assert len(users) == len(sessions_) == 4
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    assert {each["id"] for each in sessions_} == set(fold.rows.sessions.known)
    assert emails == fold.emails
    assert {each["hash"] for each in codes} == set(fold.rows.codes.known)
    gone = await world.rows("SELECT * FROM erased_users")
    kept = [(each.id, each.sequence, each.erased_at) for each in fold.rows.users.gone.values()]
    assert sorted(tuple(each.values()) for each in gone) == sorted(kept)


async def test_service_accounts_fold_into_the_tables(world: World) -> None:
    web = world.web
    async with world.consuming():
        made = await web.ask(
            by_operator(world, lambda by: CreateServiceAccount(access_token=by, name="billing"))
        )
        assert isinstance(made, ServiceSecret)
        user_id = made.user_id
        rotating = by_operator(
            world, lambda by: RotateServiceSecret(access_token=by, user_id=user_id)
        )
        answers = [await web.ask(rotating)]
        log_in = LogInService(user_id=user_id, secret=made.secret)
        answers += [await web.ask(web.draft(log_in))]

    fold = await folded(world)

    users, sessions, emails, codes = await tables(world)
    assert not [each for each in answers if isinstance(each, Rejected)]
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    assert sessions == by_id(
        asdict(each) | {"amr": " ".join(each.amr)} for each in fold.rows.sessions.known.values()
    )
    assert (emails, len(codes), codes) == ([], 2, fold.codes)


async def test_passwords_that_were_forgotten_fold_into_the_tables(world: World) -> None:
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        sessions = await crowd.with_sessions(3)
        for user in range(2):
            await web.ask(web.draft(RequestPasswordReset(email=email(user))))
        found = SecretStr(await code(world, Purpose.RESET_PASSWORD, email(0)))
        done = CompletePasswordReset(code=found, new_password=SecretStr("staple them together"))
        answers = [await web.ask(web.draft(done))]
        forced = sessions[2].user_id
        answers.append(
            await web.ask(
                by_operator(
                    world, lambda proof: ForcePasswordReset(access_token=proof, user_id=forced)
                )
            )
        )

    fold = await folded(world)

    users, sessions_, _, codes = await tables(world)
    assert not [each for each in answers if isinstance(each, Rejected)]
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    ended = {each["id"]: each["ended_at"] for each in sessions_}
    assert ended == {each.id: each.ended_at for each in fold.rows.sessions.known.values()}
    assert (len(codes), codes) == (6, fold.codes)


async def test_users_of_another_system_fold_into_the_tables(world: World) -> None:
    web, password = world.web, SecretStr("U*U")

    def make(user: int) -> Make:
        given = {"password_hash": BCRYPT} if user else {"email_verified": True, "locale": "pt"}
        return lambda proof: ImportUser.model_validate(
            {"access_token": proof, "email": email(user), **given}
        )

    async with world.consuming():
        answers = [await web.ask(by_operator(world, make(user))) for user in range(3)]
        answers.append(await web.ask(web.draft(LogIn(email=email(2), password=password))))

    fold = await folded(world)

    users, _, emails, _ = await tables(world)
    assert not [each for each in answers if isinstance(each, Rejected)]
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    kept = sorted(user["password_hash"].split("$", 2)[1:2] for user in users)
    assert kept == [[], ["2a"], ["argon2id"]]
    assert emails == fold.emails
