"""The fake pages long lists as the service does."""

from authbus.testing import FakeAuthbus, Settings

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
LONGEST = '"' * 200


async def test_live_sessions_come_in_pages_of_the_size_of_a_record() -> None:
    bus = FakeAuthbus(settings=Settings(sessions_per_user=1000))
    async with bus.client("web") as auth:
        user = await auth.register(EMAIL, PASSWORD)
        bus.grant(user.user_id, "admin")
        made = [await auth.log_in(EMAIL, PASSWORD, device=LONGEST) for _ in range(100)]
        token = made[-1].access_token
        listed = await auth.sessions.list(token)
        first = await auth.admin.get(token, user.user_id)
        second = await auth.admin.get(token, user.user_id, after=first.next)

    ids = [each.session_id for each in made]
    assert [each.session_id for each in listed] == ids
    assert [each.session_id for each in (*first.sessions, *second.sessions)] == ids
    assert first.next is not None
    assert second.next is None
