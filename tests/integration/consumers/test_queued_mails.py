"""A mail is queued in the transaction of its effect, and no code is in its row."""

from pydantic import SecretStr

from authbus import Registered, RegisterUser, Rejected
from authbus_service.auth.codes.code import Purpose
from authbus_service.core.security.masters import token_hash
from tests.rig.world import World

EMAIL, PASSWORD = "Ana@example.com", SecretStr("correct horse battery")


async def test_a_registration_queues_one_mail_from_whose_row_alone_its_code_follows(
    world: World,
) -> None:
    web = world.web
    register = RegisterUser(email=EMAIL, password=PASSWORD)
    async with world.consuming():
        draft = web.draft(register)
        user = await web.ask(draft)
        again = await web.ask(draft)
        taken = await web.ask(web.draft(register))

    assert isinstance(user, Registered)
    assert again == user
    assert isinstance(taken, Rejected)
    (mail,) = await world.rows("SELECT * FROM mails")
    (code,) = await world.rows("SELECT * FROM codes")
    assert (mail["template"], mail["address"], mail["user_id"]) == (
        "verify_email",
        EMAIL,
        user.user_id,
    )
    secret = world.masters.code(
        Purpose.VERIFY_EMAIL, mail["command_id"], mail["content"], mail["master"]
    )
    assert code["hash"] == token_hash(secret)
    assert not [each for each in (*mail.values(), *code.values()) if secret in str(each)]


async def test_codes_and_mails_go_with_their_user(world: World) -> None:
    async with world.consuming():
        await world.web.ask(world.web.draft(RegisterUser(email=EMAIL, password=PASSWORD)))

    async with world.database.transaction() as db:
        await db.exec_driver_sql("DELETE FROM emails")
        await db.exec_driver_sql("DELETE FROM users")

    assert await world.rows("SELECT 1 FROM codes UNION ALL SELECT 1 FROM mails") == []
