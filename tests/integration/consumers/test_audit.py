"""auth.audit.v1: one record for each handled command, whatever became of it, and no other."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from authbus import (
    Code,
    DeactivateUser,
    EndSession,
    ExportAccount,
    ExportUser,
    FindUsers,
    GetProfile,
    GetUser,
    GrantRole,
    LoggedIn,
    LogIn,
    RegisterUser,
    Rejected,
    UserDetails,
)
from authbus_service.core.ids import new_id
from tests.integration.consumers.audited import WRONG, audited, of
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.operators import by_operator
from tests.rig.world import World

ADDRESS = "192.0.2.7"


async def test_each_handled_command_has_one_record_with_who_whom_and_what_became_of_it(
    world: World,
) -> None:
    web = world.web
    registering = [web.draft(RegisterUser(email=email(0), password=PASSWORD)) for _ in range(2)]
    right = web.draft(LogIn(email=email(0), password=PASSWORD, ip_address=ADDRESS))
    wrong = web.draft(LogIn(email=email(0), password=WRONG, ip_address=ADDRESS))
    nobody = web.draft(LogIn(email=email(1), password=WRONG))
    async with world.consuming():
        for draft in (*registering, wrong, nobody):
            await web.ask(draft)
        session = await web.ask(right)
        assert isinstance(session, LoggedIn)
        user_id, token = session.user_id, session.access_token
        ending = web.draft(EndSession(access_token=token, session_id=session.session_id))
        shut = by_operator(world, lambda by: DeactivateUser(access_token=by, user_id=user_id))
        forbidden = web.draft(DeactivateUser(access_token=token, user_id=user_id))
        for draft in (forbidden, ending, shut):
            await web.ask(draft)
        asked = (*registering, wrong, nobody, right, forbidden, ending, shut)

    user = f"user:{user_id}"
    told = await of(world, *asked)
    assert len(await audited(world)) == len(asked)
    assert [(each.outcome, each.actor, each.subject) for each in told] == [
        ("done", user, user_id),
        ("email_taken", None, None),
        ("invalid_credentials", None, user_id),
        ("invalid_credentials", None, None),
        ("done", user, user_id),
        ("forbidden", user, user_id),
        ("done", user, user_id),
        ("done", "operator", user_id),
    ]
    assert {(each.client_id, each.count) for each in told} == {("web", 1)}
    assert told[2].command == "authbus.LogIn.v1"
    assert told[2].source == told[4].source is not None
    assert [each.source is None for each in told].count(True) == 6


async def test_a_record_lies_under_its_account_or_command_and_shows_no_address_or_secret(
    world: World,
) -> None:
    web = world.web
    registering = web.draft(RegisterUser(email=email(0), password=PASSWORD))
    nobody = web.draft(LogIn(email=email(1), password=WRONG, ip_address=ADDRESS))
    async with world.consuming():
        await web.ask(registering)
        await web.ask(nobody)

    (first, one, told), (second, two, _) = await audited(world)
    assert (one, two) == (str(told.subject), str(nobody.id))
    assert (first["ce_subject"], second["ce_subject"]) == (one, two)
    assert (first["ce_causationid"], second["ce_causationid"]) == (
        str(registering.id),
        str(nobody.id),
    )
    shown = json.dumps(
        await world.rows(
            "SELECT headers, payload::text FROM outbox WHERE aggregatetype = 'audit.v1'"
        )
    )
    hidden = (email(0), email(1), ADDRESS, PASSWORD.get_secret_value(), WRONG.get_secret_value())
    assert [text for text in hidden if text.encode().hex() in shown or text in shown] == []


async def test_a_command_that_is_sent_or_read_again_adds_no_record(world: World) -> None:
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        (session,) = await crowd.with_sessions(1)
        drafts = [
            web.draft(LogIn(email=email(0), password=WRONG)),
            web.draft(FindUsers(access_token=session.access_token)),
            by_operator(world, lambda by: FindUsers(access_token=by)),
            *crowd.log_outs([session]),
        ]
        answers = [await web.ask(each) for each in drafts]
        for draft in drafts:
            await web.send(draft)
        again = [(await web.heard(each, 2))[1] for each in drafts]
    async with world.consuming():
        later = [await web.ask(each) for each in drafts]

    assert answers == again == later
    ids = Counter(told.command_id for _, _, told in await audited(world))
    assert ids == Counter(each.id for each in (*crowd.drafts, *drafts))


async def test_what_administrators_look_at_is_told_before_they_see_it(world: World) -> None:
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        ana, root = await crowd.with_sessions(2)
        token, user_id = root.access_token, ana.user_id
        granted = await web.ask(
            by_operator(
                world,
                lambda by: GrantRole(access_token=by, user_id=root.user_id, role="admin"),
            )
        )
        drafts = [
            web.draft(FindUsers(access_token=token)),
            web.draft(GetUser(access_token=token, user_id=user_id)),
            web.draft(ExportUser(access_token=token, user_id=user_id)),
            web.draft(GetUser(access_token=token, user_id=(missing := new_id()))),
            web.draft(GetUser(access_token=ana.access_token, user_id=user_id)),
            web.draft(GetUser(access_token=SecretStr("a.b.c"), user_id=user_id)),
            web.draft(ExportAccount(access_token=ana.access_token)),
        ]
        answers = [await web.ask(each) for each in drafts]
        own = web.draft(GetProfile(access_token=ana.access_token))
        await web.ask(own)

    assert not isinstance(granted, Rejected)
    assert isinstance(answers[1], UserDetails)
    admin, user = f"admin:{root.user_id}", f"user:{user_id}"
    assert [(each.outcome, each.actor, each.subject) for each in await of(world, *drafts)] == [
        ("done", admin, None),
        ("done", admin, user_id),
        ("done", admin, user_id),
        ("user_unknown", admin, missing),
        ("forbidden", user, user_id),
        ("invalid_token", None, user_id),
        ("done", user, user_id),
    ]
    assert own.id not in {told.command_id for _, _, told in await audited(world)}
    kept = json.dumps(await world.rows("SELECT outcome FROM inbox"))
    assert email(0) not in kept


async def test_an_expired_look_up_shows_nothing_and_is_told(world: World) -> None:
    web, now = world.web, datetime.now(UTC)
    late: dict[str, Any] = {"expirytime": now - timedelta(seconds=1)}
    draft = web.draft(FindUsers(access_token=SecretStr("a.b.c")), **late)
    async with world.consuming():
        answer = await web.ask(draft)

    assert answer == Rejected.because(Code.EXPIRED)
    assert [each.outcome for each in await of(world, draft)] == ["expired"]
