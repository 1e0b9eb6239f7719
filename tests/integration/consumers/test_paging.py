"""Answers of many rows come in pages: each page fits into a record, and each row comes once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    Code,
    ExportAccount,
    ExportUser,
    FindUsers,
    FoundUsers,
    GetUser,
    ListSessions,
    LoggedIn,
    Rejected,
    SessionList,
    UserDetails,
    UserExport,
)
from authbus.client.pages import pages
from tests.rig.crowd import Crowd
from tests.rig.operators import by_operator
from tests.rig.world import World

# The longest texts that a log-in may name, of the longest letters, and of those that JSON escapes.
LONGEST = "\U0001f600" * 200
QUOTES = '"' * 200
_LOG_INS = """
INSERT INTO sessions (id, user_id, client_id, amr, device, ip_address, family_hash, refresh_hash,
    started_at, last_used_at, authenticated_at, lapses_at, expires_at, ended_at, end_reason)
SELECT gen_random_uuid(), :user_id, 'web', 'pwd otp mfa', :device, :device, '', '',
    at, at, at, at + interval '7 days', at + interval '30 days', ended, end_reason
FROM (SELECT now() - each * interval '1 minute' AS at,
    CASE WHEN :are_over THEN now() END AS ended,
    CASE WHEN :are_over THEN 'logout' END AS end_reason
    FROM generate_series(1, :count) each) made
RETURNING id
"""
_CODES = """
INSERT INTO codes (hash, user_id, purpose, address, made_at, expires_at, credential_version)
SELECT sha256(gen_random_uuid()::text::bytea), :user_id, 'verify_email', 'ana@example.com',
    now(), now(), 1
FROM generate_series(1, :count)
"""
_PEOPLE = """
WITH made AS (INSERT INTO users (id, sequence, status, password_hash, credential_version,
        created_at, email, email_verified, roles, devices, profile, second_factor)
    SELECT gen_random_uuid(), 1, 'active', '', 1, now(),
        rpad('x' || each, 64, 'x') || '@' || repeat('example-of-a-long-name.', 8) || 'com',
        true, :roles, '', '{}', false
    FROM generate_series(1, :count) each RETURNING id, email)
INSERT INTO emails SELECT email, id FROM made
"""


async def run(world: World, statement: str, **values: Any) -> list[UUID]:
    """Returns the ids of what it made, where it tells them."""
    async with world.database.transaction() as db:
        found = await db.execute(text(statement), values)
        return list(found.scalars()) if found.returns_rows else []


async def log_ins(
    world: World, user_id: UUID, count: int, *, device: str = "", are_over: bool = True
) -> set[str]:
    """The ids of so many sessions more."""
    made = await run(
        world, _LOG_INS, user_id=user_id, count=count, device=device, are_over=are_over
    )
    return {str(each) for each in made}


async def export(world: World, token: SecretStr, after: str | None = None) -> UserExport:
    draft = world.web.draft(ExportAccount(access_token=token, after=after))
    found = await world.web.ask(draft)
    assert isinstance(found, UserExport), found
    return found


def told(pages: Sequence[UserExport], table: str) -> list[Any]:
    """What the rows of a table are known by."""
    rows = [row for page in pages for row in page.tables.get(table, [])]
    return [row.get("id") for row in rows]


@pytest.mark.parametrize("device", [LONGEST, QUOTES, ""])
async def test_an_export_of_more_than_a_record_holds_comes_whole_in_pages(
    world: World, device: str
) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        made = await log_ins(world, session.user_id, 1200 if not device else 100, device=device)
        await run(world, _CODES, user_id=session.user_id, count=300)
        exported = await pages(lambda after: export(world, session.access_token, after))
        first = await world.web.ask(
            by_operator(
                world, lambda proof: ExportUser(access_token=proof, user_id=session.user_id)
            )
        )
        second = await world.web.ask(
            by_operator(
                world,
                lambda proof: ExportUser(
                    access_token=proof, user_id=session.user_id, after=exported[0].next
                ),
            )
        )
        codes = await world.rows("SELECT 1 FROM codes")

    assert len(exported) > 2
    assert sorted(told(exported, "sessions")) == sorted(made | {str(session.session_id)})
    assert len(told(exported, "codes")) == len(codes) > 300
    assert told(exported, "users") == [str(session.user_id)]
    assert isinstance(first, UserExport)
    assert isinstance(second, UserExport)
    assert [first.tables, second.tables] == [each.tables for each in exported[:2]]


async def test_what_is_there_all_along_is_exported_once_while_rows_come_and_go(
    world: World,
) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        token, user_id = session.access_token, session.user_id
        made = await log_ins(world, user_id, 100, device=LONGEST)
        gone: set[str] = set()
        shown_pages = [await export(world, token)]
        while (after := shown_pages[-1].next) is not None:
            # The row that the next page begins behind is gone, and one that has not come yet.
            left = sorted(made - gone - {*told(shown_pages, "sessions")})
            for each in [*told(shown_pages, "sessions")[-1:], *left[:1]]:
                if each != str(session.session_id):
                    gone.add(each)
                    await run(world, "DELETE FROM sessions WHERE id = :id", id=UUID(each))
            await log_ins(world, user_id, 3, device=LONGEST)
            shown_pages.append(await export(world, token, after))

    shown = told(shown_pages, "sessions")
    assert len(shown_pages) > 4
    assert len({*shown}) == len(shown)
    assert made - gone <= {*shown}


async def test_a_thousand_live_sessions_are_listed_in_pages(world: World) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        made = await log_ins(world, session.user_id, 999, device=QUOTES, are_over=False)
        listed = await all_listed(world, session)
        detailed = await all_details(world, session.user_id)

    shown = [each for page in listed for each in page.sessions]
    assert len(listed) > 2
    assert shown == sorted(shown, key=lambda each: (each.started_at, each.session_id))
    ids = sorted(made | {str(session.session_id)})
    assert sorted(str(each.session_id) for each in shown) == ids
    assert [each.session_id for each in shown if each.is_current] == [session.session_id]
    assert sorted(str(each.session_id) for page in detailed for each in page.sessions) == ids


async def test_sessions_that_are_over_are_paged_with_those_that_go_on(world: World) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        live = await log_ins(world, session.user_id, 40, device=LONGEST, are_over=False)
        over = await log_ins(world, session.user_id, 30, device=LONGEST)
        detailed = await all_details(world, session.user_id, ended_sessions=True)

    shown = [each for page in detailed for each in page.sessions]
    assert len(detailed) > 1
    assert len({each.session_id for each in shown}) == len(shown) == len(live) + 1 + 20
    ended = {str(each.session_id) for each in shown if each.ended_at is not None}
    assert len(ended) == 20
    assert ended <= over


async def test_a_page_that_begins_nowhere_is_refused(world: World) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        token, web = session.access_token, world.web
        asked = [
            kind.model_construct(access_token=token, after=after)
            for kind in (ExportAccount, ListSessions)
            for after in ("", "nowhere", "sessions \0", "sessions \u00e9", "sessions " * 60)
        ]
        refused = [await web.ask(web.draft(each)) for each in asked]

    assert {each.code for each in refused if isinstance(each, Rejected)} == {Code.INVALID}
    assert len(refused) == 10


async def test_users_with_the_longest_addresses_and_roles_are_found_in_pages(world: World) -> None:
    async with world.consuming():
        await run(world, _PEOPLE, count=120, roles=" ".join(f"role-{each}" for each in range(50)))
        found = await all_found(world)

    addresses = [str(each.email) for page in found for each in page.users]
    assert len(found) > 2
    assert addresses == sorted({*addresses})
    assert len(addresses) == 120


async def all_listed(world: World, session: LoggedIn) -> list[SessionList]:
    async def page(after: str | None) -> SessionList:
        command = ListSessions(access_token=session.access_token, after=after)
        found = await world.web.ask(world.web.draft(command))
        assert isinstance(found, SessionList), found
        return found

    return await pages(page)


async def all_details(world: World, user_id: UUID, **asked: Any) -> list[UserDetails]:
    async def page(after: str | None) -> UserDetails:
        draft = by_operator(
            world,
            lambda proof: GetUser(access_token=proof, user_id=user_id, after=after, **asked),
        )
        found = await world.web.ask(draft)
        assert isinstance(found, UserDetails), found
        return found

    return await pages(page)


async def all_found(world: World) -> list[FoundUsers]:
    async def page(after: str | None) -> FoundUsers:
        draft = by_operator(
            world,
            lambda proof: FindUsers(access_token=proof, email_prefix="x", limit=100, after=after),
        )
        found = await world.web.ask(draft)
        assert isinstance(found, FoundUsers), found
        return found

    return await pages(page)
