"""Dead letters are listed until they are closed; what the service failed at is handled anew."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from authbus import GetProfile, LoggedIn, LogIn, RegisterUser
from authbus.state import Closing
from authbus.topics import ACCOUNTS, CREDENTIALS
from authbus_service.auth import handlers
from authbus_service.cluster import Admin
from authbus_service.core import clock
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import Key, KeyRing, new_key
from authbus_service.inbox import writing
from authbus_service.inbox.writing import RecoveryRunsError
from authbus_service.replay.letters import DeadLetters, Which, by_reason
from tests.rig.accident import forget_commands, said
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.offsets import all_finished
from tests.rig.redriving import buried, open_letters, redriven
from tests.rig.world import World


def sealing_to_a_new_key(world: World) -> Key:
    """What is drafted from now on is sealed to a key that no process has."""
    key = new_key("enc", clock.now(), world.masters)
    ring = KeyRing(world.masters)
    ring.load([key])
    (record,) = ring.public_records()
    world.web.seal_to(record.jwk)
    return key


async def known(world: World, key: Key) -> None:
    """Now they have it."""
    async with world.database.transaction() as db:
        await repository.add(db, [key])
        world.keyring.load(await repository.keys(db))


async def test_what_the_service_failed_at_is_handled_anew_once_and_noise_stays(
    world: World,
) -> None:
    draft = world.web.draft(RegisterUser(email=email(0), password=PASSWORD))
    await buried(world, draft, draft.but(value=b"noise"))
    groups = by_reason(await open_letters(world))

    foretold = await redriven(world, dry_run=True)
    first, second = await redriven(world), await redriven(world)

    assert [(each["reason"], each["count"]) for each in groups] == [
        ("failed", 1),
        ("not_sealed", 1),
    ]
    assert foretold == {"would_be_handled": 1, "not_ours": 1}
    assert (first, second) == ({"done": 1, "not_ours": 1}, {"not_ours": 1})
    assert [each.letter.reason for each in await open_letters(world)] == ["not_sealed"]
    assert len(await said(world)) == 1
    (came,) = [each["newest"] for each in groups if each["can_be_redriven"]]
    assert await world.rows("SELECT handled_at FROM inbox") == [{"handled_at": came}]


async def test_no_session_starts_that_nobody_waits_for_and_what_else_expired_since_is_done(
    world: World,
) -> None:
    async with world.consuming():
        await Crowd(world).with_sessions(1)
    expires_at = clock.now() + timedelta(seconds=6)
    log_in = world.web.draft(LogIn(email=email(0), password=PASSWORD), expirytime=expires_at)
    untold = log_in.but(headers=[each for each in log_in.headers if each[0] == "ce_id"])
    register = world.web.draft(
        RegisterUser(email=email(1), password=PASSWORD), expirytime=expires_at
    )
    await buried(world, untold, register)
    came = [each.letter.appended_at for each in await open_letters(world)]
    while clock.now() < expires_at:  # noqa: ASYNC110 - a time, not a thing that happens
        await asyncio.sleep(0.05)

    counts = await redriven(world)

    assert counts == {"expired": 1, "done": 1}
    assert await world.rows("SELECT count(*) AS n FROM sessions") == [{"n": 1}]
    assert await open_letters(world) == []
    ids = f"('{log_in.id}', '{register.id}')"
    rows = await world.rows(f"SELECT id, handled_at FROM inbox WHERE id IN {ids}")
    handled = {each["id"]: each["handled_at"] for each in rows}
    assert handled[register.id] in came
    assert handled[log_in.id] >= expires_at


async def test_a_key_that_was_not_there_is_used_once_it_is(world: World) -> None:
    key = sealing_to_a_new_key(world)
    await buried(world, world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))
    letters = await open_letters(world, Which(reasons=["unknown_key"]))

    without = await redriven(world)
    await known(world, key)
    with_it = await redriven(world)

    assert len(letters) == 1
    assert (without, with_it) == ({"dead_again": 1}, {"done": 1})
    assert len(await said(world)) == 1


async def test_a_hundred_letters_of_seventy_commands_have_seventy_effects_however_often_redriven(
    world: World,
) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.asked(crowd.registers(range(30)))
    key = sealing_to_a_new_key(world)
    drafts = [*crowd.registers(range(30, 70)), *crowd.log_ins(range(30))]
    await buried(world, *drafts, *drafts[:15], *drafts[-15:])
    letters = await open_letters(world)
    await known(world, key)

    first, second = await redriven(world), await redriven(world)

    assert len(letters) == 100
    assert (first, second) == ({"done": 70, "already_handled": 30}, {})
    caused = Counter(each["causation_id"] for each in await said(world))
    assert caused == Counter(str(each.id) for each in [*crowd.drafts, *drafts])
    assert await open_letters(world) == []


async def test_how_far_it_is_is_told_before_each_letter_and_when_all_is_said(world: World) -> None:
    drafts = Crowd(world).registers(range(2))
    await buried(world, *drafts, drafts[0].but(value=b"noise"))
    told: list[tuple[str, int, int | None]] = []

    def tell(step: str, done: int, total: int | None) -> None:
        told.append((step, done, total))

    await redriven(world, tell, dry_run=True)
    foretold, told = told, []
    counts = await redriven(world, tell)

    assert counts == {"done": 2, "not_ours": 1}
    assert foretold == [("looked at", done, 3) for done in range(4)]
    assert told == [*(("handled", done, 3) for done in range(4)), ("said", 0, 2), ("said", 2, 2)]


async def test_letters_are_asked_for_by_their_topic_and_from_a_time_on(world: World) -> None:
    noise = world.web.draft(GetProfile(access_token=PASSWORD)).but(value=b"noise")
    topics = [ACCOUNTS, CREDENTIALS, ACCOUNTS]
    async with world.consuming():
        for each in topics:
            await world.web.send(noise.but(topic=each.name(world.namespace)))
            await asyncio.sleep(0.005)
        await all_finished(world)

    first, second, third = every = await open_letters(world)
    assert [each.letter.topic for each in every] == [each.suffix for each in topics]
    assert await open_letters(world, Which(topic=ACCOUNTS.suffix)) == [first, third]
    since = second.letter.appended_at
    assert await open_letters(world, Which(since=since)) == [second, third]
    assert await open_letters(world, Which(topic=ACCOUNTS.suffix, since=since)) == [third]


async def test_who_still_waits_is_answered(world: World) -> None:
    async with world.consuming():
        await Crowd(world).asked(Crowd(world).registers([0]))
    log_in = world.web.draft(LogIn(email=email(0), password=PASSWORD))
    await buried(world, log_in)

    assert await redriven(world) == {"done": 1}

    (answer,) = await world.web.heard(log_in, 1)
    assert isinstance(answer, LoggedIn)


@pytest.mark.slow
async def test_what_fails_again_stays_open_and_makes_no_second_letter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buried(world, world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))
    before = await open_letters(world)

    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(handlers, "decide", broken)
        counts = await redriven(world)

    assert counts == {"dead_again": 1}
    assert await open_letters(world) == before
    assert await redriven(world) == {"done": 1}


@pytest.mark.slow
async def test_what_is_not_on_its_topic_any_more_is_gone_and_may_be_discarded(world: World) -> None:
    await buried(world, world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))
    await forget_commands(world.servers, world.namespace)

    counts = await redriven(world)
    async with Admin.connect(world.servers, {}) as admin:
        letters = DeadLetters(admin, world.namespace)
        found = await letters.open_ones(Which(reasons=["failed"]))
        await letters.close((each, Closing.DISCARDED, None) for each in found)

    assert (counts, len(found)) == ({"gone": 1}, 1)
    assert await open_letters(world) == []


@pytest.mark.slow
async def test_nothing_is_handled_beside_a_recovery(world: World) -> None:
    await buried(world, world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))

    async with writing.alone(world.database):
        with pytest.raises(RecoveryRunsError):
            await redriven(world)

    assert await redriven(world) == {"done": 1}
    async with asyncio.timeout(2), writing.alone(world.database):
        pass
