"""A user's app that makes codes."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import SecretStr

from authbus import LoggedIn, LogIn, totp
from authbus.second_factor import (
    ConfirmTotp,
    SecondFactorRequired,
    StartTotp,
    SteppedUp,
    StepUp,
    TotpIsEnabled,
    TotpStarted,
)
from tests.rig.crowd import PASSWORD
from tests.rig.world import World


@dataclass
class App:
    """The secret is the service's; the codes are made here."""

    secret: bytes
    recovery_codes: list[str] = field(default_factory=list[str])

    def note(self, answer: object) -> None:
        """Write down the recovery codes."""
        assert isinstance(answer, TotpIsEnabled)
        self.recovery_codes = [each.get_secret_value() for each in answer.recovery_codes]

    def recovery_code(self) -> SecretStr:
        """One that was not used yet."""
        return SecretStr(self.recovery_codes.pop())

    def code(self, ahead: int = 0) -> SecretStr:
        """The code of now, or of so many steps ahead."""
        step = totp.step_of(datetime.now(UTC)) + ahead
        return SecretStr(totp.code_at(self.secret, step))


def app_of(answer: object) -> App:
    """The app that has read what `TotpStarted` shows."""
    assert isinstance(answer, TotpStarted)
    return App(base64.b32decode(answer.secret.get_secret_value()))


async def started(world: World, session: LoggedIn, password: SecretStr = PASSWORD) -> App:
    """A second factor that is not confirmed yet."""
    start = StartTotp(access_token=session.access_token, password=password)
    return app_of(await world.web.ask(world.web.draft(start)))


async def confirmed(world: World, session: LoggedIn, app: App) -> None:
    """The app's first code enables it."""
    confirm = ConfirmTotp(access_token=session.access_token, code=app.code())
    app.note(await world.web.ask(world.web.draft(confirm)))


async def enrolled(world: World, session: LoggedIn) -> App:
    """A second factor that is enabled, some time ago: a code of now is good."""
    app = await started(world, session)
    await confirmed(world, session, app)
    await time_passes(world)
    return app


async def challenged(world: World, email: str, password: SecretStr = PASSWORD) -> SecretStr:
    """The challenge of a log-in whose password was right."""
    answer = await world.web.ask(world.web.draft(LogIn(email=email, password=password)))
    assert isinstance(answer, SecondFactorRequired)
    return answer.challenge


async def stepped_up(world: World, session: LoggedIn, code: SecretStr) -> SecretStr:
    """The session's new access token."""
    command = StepUp(access_token=session.access_token, code=code)
    answer = await world.web.ask(world.web.draft(command))
    assert isinstance(answer, SteppedUp)
    return answer.access_token


async def time_passes(world: World) -> None:
    """As if all codes that were used, and shown, had been so a quarter of an hour ago."""
    async with world.database.transaction() as db:
        await db.exec_driver_sql("UPDATE factors SET last_step = last_step - 30")
        await db.exec_driver_sql(
            "UPDATE sessions SET authenticated_at = authenticated_at - interval '15 minutes'"
        )
