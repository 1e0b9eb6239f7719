"""What a user who asks for another address learns of others, and who is told of the change."""

from datetime import timedelta

import pytest

from authbus.events import EmailChanged
from authbus.replies import Code, EmailIsChanged
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.guessing.attempt import Counted
from authbus_service.core.ids import new_id
from tests.rig.made import NOW
from tests.unit.auth.test_emails import ASKER, CHANGE, CONFIRM, MAILBOX, NEW, OLD, World, refusal


@pytest.mark.parametrize("is_free", [True, False])
@pytest.mark.parametrize("lately", [Counted(a_minute=1), Counted(a_day=5), None])
def test_who_asked_lately_or_five_times_learns_of_no_address_whether_it_is_taken(
    lately: Counted | None, *, is_free: bool
) -> None:
    world = World()
    if not is_free:
        world.rows.users.owners[NEW.lower()] = new_id()
    if lately is None:
        world.code(Purpose.CHANGE_EMAIL, NEW, age=timedelta(seconds=10))
    else:
        world.rows.attempts.counts[ASKER] = lately

    assert refusal(world.by_token(CHANGE)) is Code.TOO_SOON


def test_a_mailbox_that_had_its_mails_tells_nobody_whether_it_has_an_account() -> None:
    world = World()
    world.rows.attempts.counts[MAILBOX] = Counted(a_day=5)
    world.rows.users.owners[NEW.lower()] = new_id()

    assert refusal(world.by_token(CHANGE)) is Code.TOO_SOON


def test_an_old_address_that_nobody_has_shown_is_told_of_no_change() -> None:
    world = World()
    outcome = world.by_code(CONFIRM, world.code(Purpose.CHANGE_EMAIL, NEW), world.claim)

    assert [type(each) for each in outcome.events] == [EmailChanged]
    assert outcome.mails == ()


def test_a_later_change_voids_the_code_of_an_earlier_one_and_leaves_other_codes() -> None:
    world = World()
    first = world.code(Purpose.CHANGE_EMAIL, "mistyped@example.org", age=timedelta(minutes=2))
    others = [
        world.code(each, OLD, age=timedelta(minutes=2))
        for each in (Purpose.VERIFY_EMAIL, Purpose.RESET_PASSWORD)
    ]

    world.applied(world.by_token(CHANGE))

    assert refusal(world.by_code(CONFIRM, first, world.claim)) is Code.CODE_INVALID
    assert first.used_at == NOW
    assert [each.used_at for each in others] == [None, None]
    (newest,) = [
        each
        for each in world.rows.unused_codes(world.ana.id)
        if each.purpose == Purpose.CHANGE_EMAIL
    ]
    assert world.by_code(CONFIRM, newest, world.claim).answer == EmailIsChanged(
        user_id=world.ana.id
    )
