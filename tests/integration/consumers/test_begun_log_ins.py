"""Log-ins that were begun with a password alone, on real servers."""

from authbus_service.auth.codes import repository as codes
from authbus_service.auth.codes.code import Purpose
from tests.rig.authenticator import challenged, enrolled
from tests.rig.world import World

EMAIL = "ana@example.com"


async def test_those_that_are_over_are_not_read_with_a_users_other_codes(world: World) -> None:
    async with world.consuming():
        session = await world.session()
        await enrolled(world, session)
        for _ in range(3):
            await challenged(world, EMAIL)
        async with world.database.transaction() as db:
            begun = await codes.unused_of(db, [session.user_id])
            await db.exec_driver_sql("UPDATE codes SET expires_at = now() - interval '1 s'")
            over = await codes.unused_of(db, [session.user_id])

    assert [each.purpose for each in begun].count(Purpose.LOG_IN) == 3
    assert {each.purpose for each in over} == {Purpose.VERIFY_EMAIL}
