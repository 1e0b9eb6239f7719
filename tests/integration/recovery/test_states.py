"""States that are told again stand for what is, not for what was when a backup was made."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from authbus import ProfileSaved, UpdateProfile
from authbus.admin_commands import EraseUser
from authbus.profile import Profile
from authbus.state import UserState, UserStatus
from authbus.topics import USERS_STATE
from authbus_service.core.ids import new_id
from authbus_service.recovery.reading import Topics
from authbus_service.recovery.report import Report
from authbus_service.recovery.states import take_states
from tests.rig.accident import all_said, backup, last_words, recovered, serving
from tests.rig.crowd import Crowd, email
from tests.rig.memory import give_back, growth_below
from tests.rig.operators import by_operator
from tests.rig.replaying import rebuilt
from tests.rig.world import World


@pytest.mark.gate
async def test_states_told_again_that_waited_in_a_backup_undo_no_change_and_no_erasure(
    world: World,
) -> None:
    async with serving(world):
        changed, erased, same = await Crowd(world).with_sessions(3)
    await rebuilt(world)
    copy = await backup(world.database)
    await all_said(world)
    change = UpdateProfile(access_token=changed.access_token, profile_version=0, display_name="Ana")
    async with serving(world):
        assert isinstance(await world.web.ask(world.web.draft(change)), ProfileSaved)
        await world.web.ask(
            by_operator(world, lambda by: EraseUser(access_token=by, user_id=erased.user_id))
        )
    before = await last_words(world, USERS_STATE)
    back = replace(world, database=copy)

    await recovered(back)
    await all_said(back)

    assert await last_words(back, USERS_STATE) == before
    assert before[str(erased.user_id)] is None
    assert {before[str(each.user_id)] is not None for each in (changed, same)} == {True}
    await copy.close()


MANY = 30_000
# What is held of one of them, beside their id, while states are looked for; and of each report.
BYTES_EACH, BYTES_EACH_LOSS = 400, 100


async def tell(world: World, ids: list[UUID], **others: UserState | bytes | None) -> None:
    """Say a state of each of these, and then these records, under the ids that they name."""
    client: dict[str, Any] = {"bootstrap_servers": world.servers, "linger_ms": 50}
    topic = USERS_STATE.name(world.namespace)
    async with AIOKafkaProducer(**client, max_batch_size=256 * 1024) as producer:
        for id_ in ids:
            await producer.send(topic, state(id_).to_bytes(), key=str(id_).encode())
        for id_, value in others.items():
            told = value.to_bytes() if isinstance(value, UserState) else value
            await producer.send(topic, told, key=id_.encode())


def state(user_id: UUID) -> UserState:
    """One as large as they are."""
    profile = Profile(
        version=3, display_name="Ana Torres", locale="pt-BR", time_zone="Europe/Paris"
    )
    return UserState(
        user_id=user_id,
        sequence=7,
        email=f"{user_id}@example.com",
        email_verified=True,
        status=UserStatus.ACTIVE,
        roles=("admin", "support"),
        profile=profile,
    )


async def test_what_is_held_of_each_user_whose_state_is_taken_has_a_bound(world: World) -> None:
    ids = [new_id() for _ in range(MANY)]
    await tell(world, ids)
    topics, report = Topics(world.servers, world.namespace), Report(dry_run=False)
    await take_states(world.database, topics, set(ids[:100]), report)
    wanted = set(ids)
    give_back()

    with growth_below(MANY * BYTES_EACH):
        await take_states(world.database, topics, wanted, report)

    assert report.lost == []


async def test_the_last_word_of_each_user_is_taken_and_none_that_cannot_be_read(
    world: World,
) -> None:
    async with serving(world):
        sessions = await Crowd(world).with_sessions(4)
    moved, gone, torn, other = (each.user_id for each in sessions)
    newer = state(moved).model_copy(update={"email": "new@example.com"})
    of_others = {str(gone): None, str(torn): b"{", str(other): state(moved)}
    await tell(world, [moved, gone, torn, other], **{str(moved): newer, **of_others})
    report = Report(dry_run=False)

    topics = Topics(world.servers, world.namespace)
    await take_states(
        world.database, topics, {moved, gone, torn, other, strange := new_id()}, report
    )

    rows = await world.rows("SELECT id, email FROM users")
    found = {row["id"]: row["email"] for row in rows}
    assert found[moved] == "new@example.com"
    assert [found[each] for each in (gone, torn, other)] == [email(each) for each in (1, 2, 3)]
    assert {UUID(each["user_id"]) for each in report.lost} == {gone, torn, other, strange}


def test_a_report_is_written_piece_by_piece_and_reads_as_a_whole() -> None:
    report = Report(dry_run=False)
    users = [new_id() for _ in range(MANY)]
    for each in users:
        report.miss(each, "password", "its command is gone")
    give_back()

    with growth_below(MANY * BYTES_EACH_LOSS):
        largest = max(map(len, report.pieces("\n")))

    assert largest < 1000
    for line in ("", "\n"):
        text = "".join(report.pieces(line))
        assert json.loads(text) == {**report.facts(), "lost": report.lost}
        assert text.count("\n") > MANY if line else "\n" not in text
    assert Counter(each["what"] for each in report.lost) == {"password": MANY}
    assert json.loads("".join(Report(dry_run=True).pieces("\n")))["lost"] == []
