"""Events whose commands are gone: what is applied of them all the same."""

from datetime import timedelta

from authbus.events import EmailChangeRequested
from authbus_service.auth.codes.code import Purpose
from authbus_service.core.ids import new_id
from authbus_service.recovery.losing import apply_void
from tests.rig.made import NOW
from tests.unit.auth.test_emails import NEW, World


def test_a_change_of_address_whose_command_is_gone_voids_the_one_before_it() -> None:
    world = World()
    before = world.code(Purpose.CHANGE_EMAIL, NEW, age=timedelta(minutes=2))
    told = {"user_id": world.ana.id, "sequence": 5, "actor": "", "causation_id": new_id()}

    apply_void(EmailChangeRequested.model_validate(told), world.rows, NOW)

    assert before.used_at == NOW
    assert world.rows.codes.new == []
    assert world.ana.sequence == 5
