"""What is promised of look-ups and exports."""

from uuid import UUID, uuid4

from authbus import Code, UserExport
from authbus.sealing import LARGEST_SEAL, ReplyKey, seal
from authbus.state import UserKind, UserStatus
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address
from tests.e2e.promises.asking import refused

COLUMNS = {
    "users": "id sequence status credential_version created_at email email_verified roles"
    " locked_until profile second_factor",
    "emails": "canonical user_id",
    "sessions": "id user_id client_id amr device ip_address started_at last_used_at"
    " authenticated_at lapses_at expires_at ended_at end_reason",
    "codes": "user_id purpose address made_at expires_at used_at credential_version",
    "factors": "user_id made_at enabled_at last_step",
}
PASSING = {"attempts", "audit_failures", "mails"}


async def users_are_found_by_the_start_of_their_address_a_page_at_a_time(place: Place) -> None:
    root, admin, start = place.root, place.auth.admin, f"f-{uuid4().hex[:12]}"
    names = [f"{start}.{letter}@example.com" for letter in "cab"]
    ids = {name: (await place.auth.register(name, PASSWORD)).user_id for name in names}
    await admin.deactivate(root, ids[names[0]])

    first = await admin.find(root, email_prefix=start.upper(), limit=2)
    second = await admin.find(root, email_prefix=start, limit=2, after=first.next)
    every = await admin.find(root, email_prefix=start, limit=3)
    shut = await admin.find(root, email_prefix=start, status="deactivated")
    whole = await admin.find(root, email_prefix=names[1])
    nobody = await admin.find(root, email_prefix=f"{start}.d")

    assert [each.email for each in (*first.users, *second.users)] == sorted(names)
    assert first.next is not None
    assert second.next is every.next is None
    assert [each.email for each in shut.users] == names[:1]
    assert [each.user_id for each in whole.users] == [ids[names[1]]]
    assert nobody.users == ()
    found = second.users[0]
    assert (found.kind, found.status) == (UserKind.PERSON, UserStatus.DEACTIVATED)
    assert (found.email_verified, found.second_factor, found.roles) == (False, False, ())


async def all_users_are_found_in_the_order_of_their_registration(place: Place) -> None:
    root, admin = place.root, place.auth.admin
    machine = await place.auth.services.create(root, "the mill")
    user = await place.auth.register(an_address(), PASSWORD)
    found: list[UUID] = []
    after: str | None = "no such place"
    while after is not None:
        page = await admin.find(root, after=after, limit=7)
        assert len(page.users) == 7 or page.next is None
        found += [each.user_id for each in page.users]
        after = page.next

    assert found == sorted(found)
    assert {machine.user_id, user.user_id} <= {*found}
    assert found.index(machine.user_id) < found.index(user.user_id)


async def an_account_is_shown_with_its_sessions(place: Place) -> None:
    root, auth, email = place.root, place.auth, an_address()
    user = await auth.register(email, PASSWORD)
    one = await auth.log_in(email, PASSWORD, device="a phone", ip_address="192.0.2.7")
    two = await auth.log_in(email, PASSWORD)
    await auth.log_out(one)
    await place.grant(user.user_id, "clerk")

    live = await auth.admin.get(root, user.user_id)
    every = await auth.admin.get(root, user.user_id, ended_sessions=True)

    assert (live.user.email, live.user.roles, live.sequence) == (email, ("clerk",), 5)
    assert [each.session_id for each in live.sessions] == [two.session_id]
    assert [each.session_id for each in every.sessions] == [one.session_id, two.session_id]
    over, on = every.sessions
    assert (over.end_reason, over.device, over.ip_address) == ("logout", "a phone", "192.0.2.7")
    assert over.ended_at is not None
    assert (on.end_reason, on.ended_at, on.is_current) == (None, None, False)
    first = (await place.heard(user.user_id, 1))[0]
    assert live.user.created_at == first.time


async def nobody_looks_at_others_without_a_role_for_it(place: Place) -> None:
    root, email, admin = place.root, an_address(), place.auth.admin
    user = await place.auth.register(email, PASSWORD)
    token = (await place.auth.log_in(email, PASSWORD)).access_token
    for bad, code in ((token, Code.FORBIDDEN), ("not a token", Code.INVALID_TOKEN)):
        await refused(admin.find(bad), code)
        await refused(admin.get(bad, user.user_id), code)
        await refused(admin.export(bad, user.user_id), code)
    await place.grant(user.user_id, "helper")
    assert (await admin.get(token, user.user_id)).user.roles == ("helper",)
    await refused(admin.export(token, user.user_id), Code.FORBIDDEN)
    await refused(admin.get(root, uuid7()), Code.USER_UNKNOWN)
    await refused(admin.export(root, uuid7()), Code.USER_UNKNOWN)
    await refused(place.auth.account.export("not a token"), Code.INVALID_TOKEN)


async def all_that_is_held_of_a_user_is_exported_without_secrets(place: Place) -> None:
    root, auth, email = place.root, place.auth, an_address("Ana")
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD, device="a phone")
    token = session.access_token
    await auth.profile.update(token, 0, display_name="Ana", attributes={"theme": "dark"})
    app = await auth.factors.start_totp(token, PASSWORD)
    await auth.factors.confirm_totp(token, place.app_code(app.secret))
    await place.grant(user.user_id, "clerk")
    await place.grant(user.user_id, "helper")

    own, other = await auth.account.export(token), await auth.admin.export(root, user.user_id)

    for each in (own, other):
        _is_whole(each)
        assert each.user_id == user.user_id
    assert {name: own.tables[name] for name in COLUMNS} == {
        name: other.tables[name] for name in COLUMNS
    }
    (row,), (held,) = own.tables["users"], own.tables["sessions"]
    assert (row["id"], row["email"], row["roles"]) == (str(user.user_id), email, "clerk helper")
    assert (row["sequence"], row["second_factor"], row["status"]) == (8, True, "active")
    said = {"version": 1, "display_name": "Ana", "attributes": {"theme": "dark"}}
    assert row["profile"] == said
    assert own.tables["emails"][0]["canonical"] == email.lower()
    assert (held["id"], held["device"]) == (str(session.session_id), "a phone")
    assert held["amr"] == "pwd otp mfa"
    assert [each["purpose"] for each in own.tables["codes"]] == ["verify_email"]


async def a_large_export_comes_in_pages_and_each_row_once(place: Place) -> None:
    root, auth, email, longest = place.root, place.auth, an_address(), "\U0001f600" * 200
    user = await auth.register(email, PASSWORD)
    made = [
        await auth.log_in(email, PASSWORD, device=longest, ip_address=longest) for _ in range(30)
    ]

    own = await auth.account.export(made[-1].access_token)
    other = await auth.admin.export(root, user.user_id)
    first = await auth.admin.export_page(root, user.user_id)
    second = await auth.admin.export_page(root, user.user_id, after=first.next)

    ids = [row["id"] for row in own.tables["sessions"]]
    assert sorted(ids) == sorted(str(each.session_id) for each in made)
    assert other.tables["sessions"] == own.tables["sessions"]
    assert own.next is other.next is None
    assert first.next is not None
    paged = [row["id"] for each in (first, second) for row in each.tables["sessions"]]
    assert 20 < len(first.tables["sessions"]) < len(paged) == 30
    assert paged == ids
    assert {*first.tables, *second.tables} == {*COLUMNS, *PASSING}
    for each in (first, second):
        assert len(seal(each.to_bytes(), ReplyKey().public)) <= LARGEST_SEAL
    await refused(auth.admin.export_page(root, user.user_id, after="nowhere"), Code.INVALID)
    await refused(auth.admin.get(root, user.user_id, after="nowhere"), Code.INVALID)


def _is_whole(export: UserExport) -> None:
    assert {*export.tables} == {*COLUMNS, *PASSING}
    for name, columns in COLUMNS.items():
        (row,) = export.tables[name]
        assert {*row} == {*columns.split()}, name
