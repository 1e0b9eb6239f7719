"""A user's profile on real servers: read, changed from the right version, told without values."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus import (
    Code,
    GetProfile,
    LoggedIn,
    Profile,
    ProfileSaved,
    ProfileUpdated,
    Rejected,
    Reply,
    UpdateProfile,
    UserProfile,
    UserState,
)
from authbus.topics import ACCOUNTS
from authbus_service.core.ids import new_id
from tests.rig.world import World

EMAIL = "Ana@example.com"
CHANGES: dict[str, Any] = {
    "display_name": "Ana Ćwik 👩‍🚀",
    "locale": "pt-BR",
    "time_zone": "America/Sao_Paulo",
    "picture_url": "https://cdn.example.com/ana.png",
    "attributes": {"shoe": 38, "huge": 1e308, "seen": [1, 1.0, True, None], "in": {"": "\\u0000"}},
}
BAD: list[tuple[str, object]] = [
    ("display_name", "Ana\0"),
    ("display_name", "\x1b[2J"),
    ("display_name", "A" * 201),
    ("locale", "xx-YY"),
    ("locale", "pt_BR"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", "Europe/Atlantis"),
    ("picture_url", "http://example.com"),
    ("attributes", {"a": "\0"}),
    ("attributes", {"a" * 65: 1}),
    ("attributes", {"a": "x" * 4089}),
    ("attributes", {"a": {"b": {"c": {"d": {}}}}}),
    ("profile_version", True),
    ("profile_version", -1),
    ("is_admin", True),
]


async def update(world: World, session: LoggedIn, version: int, **fields: Any) -> Reply:
    """Ask with any data at all, past the client's own checks."""
    token = session.access_token.get_secret_value()
    data = {"access_token": token, "profile_version": version, **fields}
    topic = ACCOUNTS.name(world.namespace)
    wire_type = UpdateProfile.wire_type()
    return await world.web.ask(
        world.web.sealed(topic, new_id(), b"profile", type=wire_type, data=data)
    )


async def get(world: World, session: LoggedIn) -> UserProfile:
    found = await world.web.ask(world.web.draft(GetProfile(access_token=session.access_token)))
    assert isinstance(found, UserProfile)
    return found


async def states(world: World) -> list[UserState]:
    rows = await world.rows("SELECT type, payload FROM outbox ORDER BY position")
    kind = UserState.wire_type()
    return [UserState.model_validate_json(r["payload"]) for r in rows if r["type"] == kind]


async def test_a_user_changes_and_clears_parts_of_their_profile(world: World) -> None:
    async with world.consuming():
        session = await world.session(EMAIL)
        first = await get(world, session)
        saved = await update(world, session, 0, **CHANGES)
        second = await get(world, session)
        same = await update(world, session, 1, locale="pt-BR")
        cleared = await update(world, session, 1, locale=None, attributes=None)
        third = await get(world, session)
        conflict = await update(world, session, 1, display_name="Bea")

    assert (first.email, first.profile) == (EMAIL, Profile())
    assert (saved, same, cleared) == tuple(ProfileSaved(profile_version=each) for each in (1, 1, 2))
    assert second.profile.model_dump() == {"version": 1, **CHANGES}
    assert str(second.profile.attributes) == str(CHANGES["attributes"])
    assert third.profile.model_dump(exclude_none=True) == {
        "version": 2,
        **{name: CHANGES[name] for name in ("display_name", "time_zone", "picture_url")},
    }
    detail = "the profile's version is 2"
    assert conflict == Rejected.because(Code.VERSION_CONFLICT, detail)


async def test_events_name_the_fields_and_the_state_alone_has_the_values(world: World) -> None:
    async with world.consuming():
        session = await world.session(EMAIL)
        await update(world, session, 0, **CHANGES)
        await update(world, session, 1, locale="de")
        await update(world, session, 2, locale="de")

    events = await world.events()
    told = [each for each in events if isinstance(each, ProfileUpdated)]
    known = await states(world)
    inbox = await world.rows("SELECT outcome FROM inbox")
    assert [each.sequence for each in events] == [1, 2, 3, 4]
    assert [each.fields for each in told] == [tuple(CHANGES), ("locale",)]
    assert [each.sequence for each in known] == [1, 3, 4]
    assert [each.profile.locale for each in known] == [None, "pt-BR", "de"]
    assert {each.email for each in known} == {EMAIL}
    written = json.dumps([*inbox, [each.model_dump_json() for each in events]], default=str)
    assert not [text for text in ("Sao_Paulo", "ana.png", "shoe", "pt-BR") if text in written]


async def test_of_many_changes_from_one_version_one_is_made(world: World) -> None:
    async with world.consuming(), world.consuming():
        session = await world.session(EMAIL)
        names = [f"Ana {each}" for each in range(20)]
        asks = (update(world, session, 0, display_name=name) for name in names)
        answers = await asyncio.gather(*asks)
        after = await get(world, session)

    saved = [each for each in answers if isinstance(each, ProfileSaved)]
    assert len(saved) == 1
    assert after.profile.display_name == names[answers.index(saved[0])]
    assert [each.sequence for each in await states(world)] == [1, 3]


async def test_a_bad_field_is_named_and_changes_nothing(world: World) -> None:
    async with world.consuming():
        session = await world.session(EMAIL)
        answers = [await update(world, session, 0, **{name: value}) for name, value in BAD]
        after = await get(world, session)

    for (name, _), answer in zip(BAD, answers, strict=True):
        assert isinstance(answer, Rejected)
        assert answer.code is Code.INVALID
        assert answer.detail.partition(":")[0] == ("a field" if name == "is_admin" else name)
    assert after.profile == Profile()
    assert len(await world.events()) == 2


@pytest.mark.parametrize("number", ["NaN", "1e999", "9" * 30, '"\\ud800"', "[" * 50 + "]" * 50])
async def test_what_is_no_json_is_buried_and_the_next_is_answered(
    world: World, number: str
) -> None:
    async with world.consuming():
        session = await world.session(EMAIL)
        token = session.access_token.get_secret_value()
        ask = UpdateProfile(
            access_token=SecretStr(token), profile_version=0, attributes={"a": "HERE"}
        )
        draft = world.web.draft(ask)
        text = payload(draft.id, world, ask).replace('"HERE"', number)
        await world.web.send(world.web.around(text.encode(), draft))
        (letter,) = await world.dead_letters(1)
        after = await get(world, session)

    assert letter["reason"] == "bad_json"
    assert after.profile == Profile()
    assert world.web.answers(draft.id) == []


def payload(id_: UUID, world: World, ask: UpdateProfile) -> str:
    return json.dumps({"id": str(id_), "type": ask.wire_type(), "data": ask.to_json()})
