"""What stands in the queue of mails, and the codes that will be in them."""

from pydantic import SecretStr

from authbus import EmailIsVerified, VerifyEmail
from authbus_service.auth.codes.code import Purpose
from tests.rig.world import World


async def code(world: World, purpose: Purpose, address: str, *, template: str = "") -> str:
    """The code of the newest mail of this purpose to this address."""
    rows = await world.rows("SELECT * FROM mails ORDER BY made_at DESC")
    wanted = (template or purpose, address)
    mail = next(row for row in rows if (row["template"], row["address"]) == wanted)
    return world.masters.code(purpose, mail["command_id"], mail["content"], mail["master"])


async def show(world: World, address: str) -> None:
    """The address is shown to be its user's, by the code of the mail to it."""
    shown = SecretStr(await code(world, Purpose.VERIFY_EMAIL, address))
    answer = await world.web.ask(world.web.draft(VerifyEmail(code=shown)))
    assert isinstance(answer, EmailIsVerified)


async def queued(world: World) -> list[tuple[str, str]]:
    """Template and address of every mail, in order."""
    rows = await world.rows("SELECT template, address FROM mails ORDER BY made_at")
    return [(row["template"], row["address"]) for row in rows]
