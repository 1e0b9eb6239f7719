"""What is promised of administrators and of what roles permit."""

import pytest

from authbus import Code, PermissionMissing, StepUpRequired
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused


async def a_role_permits_what_it_is_declared_for(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    before = await place.auth.log_in(email, PASSWORD)
    await place.grant(user.user_id, "clerk")
    after = await place.auth.refresh(before)

    claims = place.verifier.require(after.access_token, "orders:write", max_age=60)
    assert (claims.roles, claims.permissions) == (("clerk",), frozenset({"orders:write"}))
    with pytest.raises(PermissionMissing):
        place.verifier.require(before.access_token, "orders:write")
    with pytest.raises(StepUpRequired):
        place.verifier.require(after.access_token, "orders:write", amr="mfa")
    events = await place.heard(user.user_id, 4)
    assert kinds(events)[2:] == ["RoleGranted", "SessionRefreshed"]
    assert events[2].data.actor == "operator"


async def nobody_administers_without_a_role_for_it(place: Place) -> None:
    email, admin = an_address(), place.auth.admin
    user = await place.auth.register(email, PASSWORD)
    token = (await place.auth.log_in(email, PASSWORD)).access_token

    await refused(admin.deactivate(token, user.user_id), Code.FORBIDDEN)
    await refused(admin.grant_role(token, user.user_id, "admin"), Code.FORBIDDEN)
    await place.grant(user.user_id, "helper")
    await refused(admin.erase(token, user.user_id), Code.FORBIDDEN)
    await refused(admin.deactivate("not a token", user.user_id), Code.INVALID_TOKEN)

    await refused(admin.unlock(token, uuid7()), Code.USER_UNKNOWN)


async def an_administrator_shuts_and_opens_accounts_and_ends_sessions(place: Place) -> None:
    root, email = place.root, an_address("bob")
    user = await place.auth.register(email, PASSWORD)
    one, two = [await place.auth.log_in(email, PASSWORD) for _ in range(2)]
    admin = place.auth.admin

    assert await admin.end_sessions(root, session_id=one.session_id) == 1
    end_again = admin.end_sessions(root, session_id=one.session_id)
    await refused(end_again, Code.SESSION_UNKNOWN)
    assert await admin.deactivate(root, user.user_id, reason="abuse") == 1
    assert await admin.deactivate(root, user.user_id) == 0
    await refused(place.auth.refresh(two), Code.INVALID_TOKEN)
    await refused(place.auth.log_in(email, PASSWORD), Code.INVALID_CREDENTIALS)
    await admin.reactivate(root, user.user_id)
    await place.auth.log_in(email, PASSWORD)
    assert await admin.end_sessions(root, user.user_id) == 1
    await admin.unlock(root, user.user_id)

    events = await place.heard(user.user_id, 9)
    assert kinds(events)[3:] == [
        "SessionEnded admin",
        "UserDeactivated abuse",
        "SessionEnded deactivated",
        "UserReactivated",
        "SessionStarted",
        "SessionEnded admin",
    ]
    assert events[3].data.actor.startswith("admin:")


async def nobody_acts_on_the_account_of_one_who_may_do_more(place: Place) -> None:
    helper, root = an_address(), an_address("bob")
    user = await place.auth.register(helper, PASSWORD)
    shut = await place.auth.register(root, PASSWORD)
    await place.grant(user.user_id, "helper")
    await place.grant(shut.user_id, "admin")
    token, admin = (await place.auth.log_in(helper, PASSWORD)).access_token, place.auth.admin
    for act in (admin.deactivate, admin.unlock, admin.force_password_reset):
        await refused(act(token, shut.user_id), Code.FORBIDDEN)
    await admin.deactivate(place.root, shut.user_id, reason="compromised")

    await refused(admin.reactivate(token, shut.user_id), Code.FORBIDDEN)
    await refused(place.auth.log_in(root, PASSWORD), Code.INVALID_CREDENTIALS)
    await admin.revoke_role(place.root, shut.user_id, "admin")
    await admin.reactivate(token, shut.user_id)
    await place.auth.log_in(root, PASSWORD)


async def an_administrator_gives_and_takes_roles_and_erases(place: Place) -> None:
    root, admin = place.root, place.auth.admin
    user = await place.auth.register(an_address("bob"), PASSWORD)
    await refused(admin.grant_role(root, user.user_id, "king"), Code.ROLE_UNKNOWN)
    assert await admin.grant_role(root, user.user_id, "helper") == ("helper",)
    assert await admin.grant_role(root, user.user_id, "clerk") == ("clerk", "helper")
    assert await admin.grant_role(root, user.user_id, "clerk") == ("clerk", "helper")
    assert await admin.revoke_role(root, user.user_id, "helper") == ("clerk",)

    assert (await admin.erase(root, user.user_id)).sessions_ended == 0
    await refused(admin.erase(root, user.user_id), Code.USER_UNKNOWN)

    events = await place.heard(user.user_id, 5)
    assert kinds(events)[1:] == ["RoleGranted", "RoleGranted", "RoleRevoked", "UserErased"]
