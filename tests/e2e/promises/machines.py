"""What is promised of service accounts."""

from datetime import timedelta

from authbus import Code, UserCreated
from authbus.service_accounts import ServiceSecretRotated
from authbus.state import UserKind
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused


async def a_machine_logs_in_by_its_secret_as_often_as_it_likes(place: Place) -> None:
    root, auth, services = place.root, place.auth, place.auth.services
    person = await auth.register(an_address(), PASSWORD)
    machine = await services.create(root, "the mill")
    await refused(services.log_in(machine.user_id, "wrong secret"), Code.INVALID_CREDENTIALS)
    await refused(services.log_in(person.user_id, machine.secret), Code.INVALID_CREDENTIALS)

    sessions = [await services.log_in(machine.user_id, machine.secret) for _ in range(5)]

    token = sessions[0].access_token
    claims = place.verifier.verify(token)
    assert (claims.user_id, claims.session_id) == (machine.user_id, sessions[0].session_id)
    assert (claims.client_id, claims.amr, claims.roles) == ("web", (), ())
    assert len(await auth.sessions.list(token)) == 5
    found = await auth.profile.get(token)
    assert (found.email, found.profile.display_name) == (None, "the mill")
    await refused(auth.email.resend_verification(token), Code.FORBIDDEN)
    events = await place.heard(machine.user_id, 6)
    assert kinds(events) == ["UserCreated", *["SessionStarted"] * 5]
    created, started = events[0].data, events[1].data
    assert isinstance(created, UserCreated)
    assert (created.kind, created.actor[:6]) == (UserKind.SERVICE, "admin:")
    assert {getattr(started, name) for name in ("expires_at", "lapses_at")} == {
        sessions[0].access_token_expires_at
    }


async def a_new_secret_takes_the_place_of_the_former_ones_in_time(place: Place) -> None:
    root, services = place.root, place.auth.services
    person = await place.auth.register(an_address(), PASSWORD)
    first = await services.create(root, "the mill")
    await refused(services.rotate_secret(root, person.user_id), Code.USER_UNKNOWN)
    await refused(services.rotate_secret(root, uuid7()), Code.USER_UNKNOWN)

    second = await services.rotate_secret(root, first.user_id)
    old = [await services.log_in(first.user_id, each.secret) for each in (first, second)]
    third = await services.rotate_secret(root, first.user_id, overlap_hours=0)
    for each in (first, second):
        await refused(services.log_in(first.user_id, each.secret), Code.INVALID_CREDENTIALS)
    await services.log_in(first.user_id, third.secret)
    for session in old:
        await refused(place.auth.profile.get(session.access_token), Code.INVALID_TOKEN)

    assert second.expires_at - first.expires_at < timedelta(minutes=1)
    events = await place.heard(first.user_id, 8)
    assert kinds(events)[1:] == [
        "ServiceSecretRotated",
        *["SessionStarted"] * 2,
        "ServiceSecretRotated",
        *["SessionEnded secret_rotated"] * 2,
        "SessionStarted",
    ]
    until = [
        each.data.former_until - each.time
        for each in events
        if isinstance(each.data, ServiceSecretRotated)
    ]
    for found, hours in zip(until, (24, 0), strict=True):
        assert abs(found - timedelta(hours=hours)) < timedelta(seconds=5)


async def machines_are_made_by_who_may_and_never_lead_upwards(place: Place) -> None:
    email, services = an_address("keeper"), place.auth.services
    root = place.root
    keeper = await place.auth.register(email, PASSWORD)
    token = (await place.auth.log_in(email, PASSWORD)).access_token
    await refused(services.create(token, "a mill"), Code.FORBIDDEN)
    await refused(services.create("not a token", "a mill"), Code.INVALID_TOKEN)
    await place.grant(keeper.user_id, "keeper")
    machine = await services.create(token, "a mill")
    await services.rotate_secret(token, machine.user_id)

    await place.auth.admin.grant_role(root, machine.user_id, "clerk")

    await refused(services.rotate_secret(token, machine.user_id), Code.FORBIDDEN)
    session = await services.log_in(machine.user_id, machine.secret)
    assert place.auth.verify(session.access_token).permissions == frozenset({"orders:write"})


async def a_machine_is_shut_and_erased_like_a_person_but_has_no_password(place: Place) -> None:
    root, auth = place.root, place.auth
    machine = await auth.services.create(root, "a mill")
    await refused(auth.admin.force_password_reset(root, machine.user_id), Code.USER_UNKNOWN)
    session = await auth.services.log_in(machine.user_id, machine.secret)
    token = session.access_token
    await refused(auth.account.erase(token, ""), Code.INVALID_CREDENTIALS)

    assert await auth.admin.deactivate(root, machine.user_id) == 1
    log_in = auth.services.log_in(machine.user_id, machine.secret)
    await refused(log_in, Code.INVALID_CREDENTIALS)
    await auth.admin.erase(root, machine.user_id)
    log_in = auth.services.log_in(machine.user_id, machine.secret)
    await refused(log_in, Code.INVALID_CREDENTIALS)

    events = await place.heard(machine.user_id, 5)
    assert kinds(events)[2:] == [
        "UserDeactivated unspecified",
        "SessionEnded deactivated",
        "UserErased",
    ]
