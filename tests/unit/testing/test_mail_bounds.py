"""How many accounts and mails the fake makes for one place and one mailbox, as a service does."""

from datetime import timedelta

import pytest

from authbus import AuthRejected
from authbus.testing import FakeAuthbus, Settings

PASSWORD, VICTIM = "correct horse battery", "victim@example.com"


async def test_a_place_makes_so_many_accounts_an_hour_whatever_becomes_of_them() -> None:
    bus = FakeAuthbus(settings=Settings(guesses_per_source=2))
    async with bus.client("web") as auth:
        await auth.register("ana@example.com", PASSWORD, ip_address="192.0.2.7")
        with pytest.raises(AuthRejected, match="email_taken"):
            await auth.register("ana@example.com", PASSWORD, ip_address="::ffff:192.0.2.7")
        with pytest.raises(AuthRejected, match="too_soon"):
            await auth.register(VICTIM, PASSWORD, ip_address="192.0.2.7")
        await auth.register("bea@example.com", PASSWORD, ip_address="192.0.2.8")
        bus.forward(hours=1)
        await auth.register(VICTIM, PASSWORD, ip_address="192.0.2.7")


async def test_a_mailbox_gets_five_mails_a_day_that_others_ask_for() -> None:
    bus = FakeAuthbus()
    async with bus.client("web") as auth:
        for tag in range(6):
            await auth.register(f"victim+{tag}@example.com", PASSWORD)
        mailed = len(bus.mails)
        session = await auth.log_in("victim+5@example.com", PASSWORD)
        with pytest.raises(AuthRejected, match="too_soon"):
            await auth.email.change(session.access_token, PASSWORD, VICTIM)
        bus.forward(minutes=1)
        with pytest.raises(AuthRejected, match="too_soon"):
            await auth.email.resend_verification(session.access_token)
        await auth.passwords.request_reset("victim+5@example.com")
        asked_for = len(bus.mails)
        bus.forward(days=1)
        await auth.passwords.request_reset("victim+5@example.com")
        session = await auth.log_in("victim+5@example.com", PASSWORD)
        await auth.email.resend_verification(session.access_token)
        await auth.email.change(session.access_token, PASSWORD, VICTIM)

    assert (mailed, asked_for, len(bus.mails)) == (5, 5, 8)


async def test_whoever_asks_for_resets_each_minute_floods_nobody_and_keeps_no_owner_out() -> None:
    bus, ages = FakeAuthbus(), list[timedelta]()
    async with bus.client("web") as auth:
        await auth.register(VICTIM, PASSWORD)
        await auth.email.verify(bus.mails[0].code or "")
        for _ in range(2 * 24 * 60):
            await auth.passwords.request_reset(VICTIM)
            ages.append(bus.now - bus.mails[-1].made_at)
            bus.forward(minutes=1)

    resets = [each.made_at for each in bus.mails if each.template == "reset_password"]
    days = [sum(began <= each < began + timedelta(days=1) for each in resets) for began in resets]
    assert max(days) <= 5 + 24
    # A code is good for an hour, and who asks so often is looked at once in a quarter of one.
    assert max(ages) < timedelta(minutes=75)


async def test_an_address_that_nobody_has_shown_gets_no_notice() -> None:
    bus = FakeAuthbus()
    async with bus.client("web") as auth:
        await auth.register(VICTIM, PASSWORD)
        session = await auth.log_in(VICTIM, PASSWORD)
        for _ in range(20):
            await auth.log_in(VICTIM, PASSWORD, device="x")
        await auth.passwords.change(session.access_token, PASSWORD, "another horse battery")
        unshown = [each.template for each in bus.mails]
        await auth.email.verify(bus.mails[0].code or "")
        await auth.log_in(VICTIM, "another horse battery", device="x")

    assert unshown == ["verify_email"]
    assert [each.template for each in bus.mails[1:]] == ["new_device"]


async def test_who_asks_for_addresses_is_told_of_five_a_day_whether_they_are_taken() -> None:
    bus = FakeAuthbus()
    async with bus.client("web") as auth:
        await auth.register(VICTIM, PASSWORD)
        await auth.register("ana@example.com", PASSWORD)
        token = (await auth.log_in("ana@example.com", PASSWORD)).access_token
        for _ in range(5):
            with pytest.raises(AuthRejected, match="email_taken"):
                await auth.email.change(token, PASSWORD, VICTIM)
            for each in (VICTIM, "free@example.com"):
                with pytest.raises(AuthRejected, match="too_soon"):
                    await auth.email.change(token, PASSWORD, each)
            bus.forward(minutes=1)
        for each in (VICTIM, "free@example.com"):
            with pytest.raises(AuthRejected, match="too_soon"):
                await auth.email.change(token, PASSWORD, each)


async def test_a_new_password_gives_no_further_change_of_address() -> None:
    bus = FakeAuthbus()
    async with bus.client("web") as auth:
        await auth.register("ana@example.com", PASSWORD)
        token = (await auth.log_in("ana@example.com", PASSWORD)).access_token
        await auth.email.change(token, PASSWORD, "one@example.com")
        await auth.passwords.change(token, PASSWORD, "another horse battery")
        with pytest.raises(AuthRejected, match="too_soon"):
            await auth.email.change(token, "another horse battery", "two@example.com")
        bus.forward(minutes=1)
        await auth.email.change(token, "another horse battery", "two@example.com")


async def test_the_code_of_a_mistyped_address_is_void_once_another_one_is_asked_for() -> None:
    bus = FakeAuthbus()
    async with bus.client("web") as auth:
        user = await auth.register("ana@example.com", PASSWORD)
        token = (await auth.log_in("ana@example.com", PASSWORD)).access_token
        await auth.email.change(token, PASSWORD, "mistyped@example.org")
        bus.forward(minutes=1)
        await auth.email.change(token, PASSWORD, "ana@example.org")
        mistyped, meant = (each.code or "" for each in bus.mails[1:])
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.email.confirm_change(mistyped)
        assert await auth.email.confirm_change(meant) == user.user_id
