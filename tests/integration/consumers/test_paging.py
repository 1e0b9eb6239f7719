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
    GetUser,
    ListSessions,
    LoggedIn,
    Rejected,
    SessionList,
    UserDetails,
    UserExport,
)
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


async def exported(world: World, token: SecretStr) -> list[UserExport]:
    """Every page."""
    pages = [await export(world, token)]
    while pages[-1].next is not None:
        pages.append(await export(world, token, pages[-1].next))
    return pages


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
        pages = await exported(world, session.access_token)
        first = await world.web.ask(
            by_operator(
                world, lambda proof: ExportUser(access_token=proof, user_id=session.user_id)
            )
        )
        second = await world.web.ask(
            by_operator(
                world,
                lambda proof: ExportUser(
                    access_token=proof, user_id=session.user_id, after=pages[0].next
                ),
            )
        )
        codes = await world.rows("SELECT 1 FROM codes")

    assert len(pages) > 2
    assert sorted(told(pages, "sessions")) == sorted(made | {str(session.session_id)})
    assert len(told(pages, "codes")) == len(codes) > 300
    assert told(pages, "users") == [str(session.user_id)]
    assert isinstance(first, UserExport)
    assert isinstance(second, UserExport)
    assert [first.tables, second.tables] == [each.tables for each in pages[:2]]


async def test_what_is_there_all_along_is_exported_once_while_rows_come_and_go(
    world: World,
) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        token, user_id = session.access_token, session.user_id
        made = await log_ins(world, user_id, 100, device=LONGEST)
        gone: set[str] = set()
        pages = [await export(world, token)]
        while (after := pages[-1].next) is not None:
            # The row that the next page begins behind is gone, and one that has not come yet.
            left = sorted(made - gone - {*told(pages, "sessions")})
            for each in [*told(pages, "sessions")[-1:], *left[:1]]:
                if each != str(session.session_id):
                    gone.add(each)
                    await run(world, "DELETE FROM sessions WHERE id = :id", id=UUID(each))
            await log_ins(world, user_id, 3, device=LONGEST)
            pages.append(await export(world, token, after))

    shown = told(pages, "sessions")
    assert len(pages) > 4
    assert len({*shown}) == len(shown)
    assert made - gone <= {*shown}


async def test_a_thousand_live_sessions_are_listed_in_pages(world: World) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        made = await log_ins(world, session.user_id, 999, device=QUOTES, are_over=False)
        listed = await all_listed(world, session)
        pages = await all_details(world, session.user_id)

    shown = [each for page in listed for each in page.sessions]
    assert len(listed) > 2
    assert shown == sorted(shown, key=lambda each: (each.started_at, each.session_id))
    ids = sorted(made | {str(session.session_id)})
    assert sorted(str(each.session_id) for each in shown) == ids
    assert [each.session_id for each in shown if each.is_current] == [session.session_id]
    assert sorted(str(each.session_id) for page in pages for each in page.sessions) == ids


async def test_sessions_that_are_over_are_paged_with_those_that_go_on(world: World) -> None:
    async with world.consuming():
        (session,) = await Crowd(world).with_sessions(1)
        live = await log_ins(world, session.user_id, 40, device=LONGEST, are_over=False)
        over = await log_ins(world, session.user_id, 30, device=LONGEST)
        pages = await all_details(world, session.user_id, ended_sessions=True)

    shown = [each for page in pages for each in page.sessions]
    assert len(pages) > 1
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


async def all_listed(world: World, session: LoggedIn) -> list[SessionList]:
    pages: list[SessionList] = []
    after: str | None = None
    while not pages or after is not None:
        command = ListSessions(access_token=session.access_token, after=after)
        page = await world.web.ask(world.web.draft(command))
        assert isinstance(page, SessionList), page
        pages.append(page)
        after = page.next
    return pages


async def all_details(world: World, user_id: UUID, **asked: Any) -> list[UserDetails]:
    pages: list[UserDetails] = []
    after: str | None = None
    while not pages or after is not None:
        page = await world.web.ask(
            by_operator(
                world,
                lambda proof: GetUser(access_token=proof, user_id=user_id, after=after, **asked),  # noqa: B023
            )
        )
        assert isinstance(page, UserDetails), page
        pages.append(page)
        after = page.next
    return pages
