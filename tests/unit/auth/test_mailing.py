"""Mails for a new password: how many go to an address, be it somebody's or not."""

from datetime import timedelta

import pytest

from authbus_service.auth.guessing.attempt import Counted, Settled
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome
from tests.unit.auth.test_password_reset import ADDRESS, World, asking


async def test_a_mailbox_gets_five_resets_a_day_until_somebody_has_shown_it() -> None:
    world = World()
    proof = await world.prepared(asking())
    assert proof.mailbox is not None
    counts = world.rows.attempts.counts

    counts[proof.mailbox] = Counted(a_day=4)
    last = world.decided(asking(), proof)
    counts[proof.mailbox] = Counted(a_day=5)
    counts[proof.address or b""] = Counted(a_day=2)
    beyond = world.decided(asking(), proof)
    world.ana.email_verified = True
    own = world.decided(asking(), proof)

    mail = Mail(Template.RESET_PASSWORD, world.ana.id, ADDRESS)
    assert [each.mails for each in (last, beyond, own)] == [(mail,), (), (mail,)]
    assert [each.counted for each in (last, beyond, own)] == [
        (proof.mailbox,),
        (),
        (proof.address,),
    ]
    assert beyond == Outcome(last.answer, settled=Settled.FAILED)


async def test_beyond_five_a_day_the_owner_gets_one_when_no_code_is_good_any_more() -> None:
    world = World()
    world.ana.email_verified = True
    proof = await world.prepared(asking())
    assert proof.address is not None

    world.rows.attempts.counts[proof.address] = Counted(a_day=5)
    while_good = world.decided(asking(), proof)
    world.code.expires_at = world.now
    afterwards = world.decided(asking(), proof)
    world.code.expires_at, world.code.used_at = world.now + timedelta(hours=1), world.now
    once_used = world.decided(asking(), proof)

    mail = Mail(Template.RESET_PASSWORD, world.ana.id, ADDRESS)
    assert while_good == Outcome(while_good.answer, settled=Settled.FAILED)
    assert [each.mails for each in (afterwards, once_used)] == [(mail,)] * 2
    assert afterwards.answer == while_good.answer
    assert afterwards.counted == once_used.counted == (proof.address,)


@pytest.mark.parametrize(("address", "kept"), [(ADDRESS, 2), ("A.na@example.com", 0)])
async def test_for_an_address_without_dots_and_tags_two_mails_are_kept_that_no_other_uses_up(
    address: str, kept: int
) -> None:
    world = World()
    proof = await world.prepared(asking())
    assert proof.mailbox is not None
    assert proof.address is not None
    world.ana.email = address
    counts = world.rows.attempts.counts

    counts[proof.mailbox] = Counted(a_day=5)
    outcomes = list[Outcome]()
    for each in range(3):
        counts[proof.address] = Counted(a_day=each)
        outcomes.append(world.decided(asking(), proof))

    assert [len(each.mails) for each in outcomes] == [1] * kept + [0] * (3 - kept)
    assert [each.counted for each in outcomes if each.mails] == [(proof.address,)] * kept
