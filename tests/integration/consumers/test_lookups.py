"""Administrators look for users: pages, filters, one account; everybody else is refused."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    AllSessionsEnded,
    Code,
    DeactivateUser,
    EndReason,
    EndUserSessions,
    ExportUser,
    FindUsers,
    FoundUsers,
    GetUser,
    LoggedIn,
    LogIn,
    Rejected,
    UserDetails,
    UserExport,
)
from authbus_service.core.ids import new_id
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.operators import by_operator
from tests.rig.world import World


async def find(world: World, **asked: Any) -> FoundUsers:
    draft = by_operator(world, lambda proof: FindUsers(access_token=proof, **asked))
    found = await world.web.ask(draft)
    assert isinstance(found, FoundUsers)
    return found


async def all_pages(world: World, **asked: Any) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = await find(world, after=after, limit=3, **asked)
        assert len(page.users) <= 3
        found += [str(each.email) for each in page.users]
        after = page.next
        if after is None:
            return found


async def test_users_are_found_page_by_page_each_once(world: World) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.asked(crowd.registers(range(12)))
        users = await all_pages(world)
        ones = await all_pages(world, email_prefix="USER1")
        exact = await all_pages(world, email_prefix=email(7))
        nobody = await all_pages(world, email_prefix="user%")
        first = (await find(world, email_prefix=email(3))).users[0]
        await world.web.ask(
            by_operator(
                world, lambda proof: DeactivateUser(access_token=proof, user_id=first.user_id)
            )
        )
        shut = await all_pages(world, status="deactivated")
        active = await all_pages(world, status="active")
        broken = await find(world, after="no place of ours")

    assert sorted(users) == sorted(email(each) for each in range(12))
    assert ones == [email(10), email(11), email(1)]
    assert exact == [email(7)]
    assert nobody == []
    assert shut == [email(3)]
    assert len(active) == 11
    assert len(broken.users) == 12


@pytest.mark.parametrize("field", ["email_prefix", "after"])
async def test_a_text_that_postgresql_does_not_have_is_refused(world: World, field: str) -> None:
    def make(proof: SecretStr) -> FindUsers:
        places: dict[str, Any] = {"email_prefix": "user", "after": "user", field: "user\0"}
        return FindUsers.model_construct(access_token=proof, **places)

    async with world.consuming():
        refused = await world.web.ask(by_operator(world, make))

    assert refused == Rejected.because(Code.INVALID, f"{field}: value_error")


async def test_one_account_is_shown_with_its_live_sessions_and_exported(world: World) -> None:
    crowd = Crowd(world)
    web = world.web
    async with world.consuming():
        (session,) = await crowd.with_sessions(1)
        user_id = session.user_id
        shown = await web.ask(
            by_operator(world, lambda proof: GetUser(access_token=proof, user_id=user_id))
        )
        export = await web.ask(
            by_operator(world, lambda proof: ExportUser(access_token=proof, user_id=user_id))
        )
        unknown = await web.ask(
            by_operator(world, lambda proof: GetUser(access_token=proof, user_id=new_id()))
        )

    assert isinstance(shown, UserDetails)
    assert shown.user.email == email(0)
    assert [each.session_id for each in shown.sessions] == [session.session_id]
    assert isinstance(export, UserExport)
    assert export.tables["users"][0]["id"] == str(user_id)
    assert unknown == Rejected.because(Code.USER_UNKNOWN)


async def test_sessions_that_are_over_are_shown_where_they_are_asked_for(world: World) -> None:
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        (first,) = await crowd.with_sessions(1)
        second = await web.ask(web.draft(LogIn(email=email(0), password=PASSWORD)))
        third = await web.ask(web.draft(LogIn(email=email(0), password=PASSWORD)))
        assert isinstance(second, LoggedIn)
        assert isinstance(third, LoggedIn)
        ended = await web.ask(
            by_operator(
                world,
                lambda proof: EndUserSessions(access_token=proof, session_id=second.session_id),
            )
        )
        async with world.database.transaction() as db:
            await db.execute(
                text("UPDATE sessions SET lapses_at = started_at WHERE id = :id"),
                {"id": first.session_id},
            )
        shown = await web.ask(
            by_operator(
                world,
                lambda proof: GetUser(
                    access_token=proof, user_id=first.user_id, ended_sessions=True
                ),
            )
        )

    assert ended == AllSessionsEnded(count=1)
    assert isinstance(shown, UserDetails)
    assert [each.session_id for each in shown.sessions] == [
        each.session_id for each in (first, second, third)
    ]
    assert [each.end_reason for each in shown.sessions] == [None, EndReason.ADMIN, None]
    assert [each.ended_at is None for each in shown.sessions] == [True, False, True]


async def test_a_user_without_a_role_sees_nobody(world: World) -> None:
    crowd = Crowd(world)
    web = world.web
    async with world.consuming():
        sessions = await crowd.with_sessions(2)
        token, other = sessions[0].access_token, sessions[1].user_id
        asked = [
            FindUsers(access_token=token),
            GetUser(access_token=token, user_id=other),
            ExportUser(access_token=token, user_id=other),
        ]
        refused = [await web.ask(web.draft(each)) for each in asked]
        forged = await web.ask(web.draft(FindUsers(access_token=SecretStr("a.b.c"))))
        still = await web.ask(web.draft(LogIn(email=email(0), password=PASSWORD)))

    assert refused == [Rejected.because(Code.FORBIDDEN)] * 3
    assert forged == Rejected.because(Code.INVALID_TOKEN)
    assert isinstance(still, LoggedIn)
