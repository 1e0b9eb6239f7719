"""Mails for a new password to an address that nobody has shown to be theirs."""

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
    beyond = world.decided(asking(), proof)
    world.ana.email_verified = True
    own = world.decided(asking(), proof)

    mail = Mail(Template.RESET_PASSWORD, world.ana.id, ADDRESS)
    assert [each.mails for each in (last, beyond, own)] == [(mail,), (), (mail,)]
    assert [each.counted for each in (last, beyond, own)] == [(proof.mailbox,), (), ()]
    assert beyond == Outcome(last.answer, settled=Settled.FAILED)
