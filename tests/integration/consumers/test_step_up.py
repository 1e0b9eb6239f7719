"""Step-up on real servers: what needs a second factor shown lately, and what the tokens say."""

from typing import Any

import pytest
from pydantic import SecretStr

from authbus import (
    ChangeEmail,
    ChangePassword,
    Code,
    EraseAccount,
    GrantRole,
    LoggedIn,
    PasswordIsChanged,
    Refreshed,
    RefreshSession,
    Rejected,
    UserRoles,
    signing,
)
from authbus.commands import AnyCommand
from authbus.second_factor import DisableTotp, ResetSecondFactor, SecondFactorIsReset, StepUp
from authbus_service.auth.factors import repository as factors
from authbus_service.auth.factors.service import opened, wrapped
from authbus_service.auth.rewrapping import Batch, rewrap
from authbus_service.core.security.masters import MasterKeyError, Masters
from tests.integration.consumers.guessing import guesses
from tests.rig.authenticator import enrolled, stepped_up, time_passes
from tests.rig.crowd import PASSWORD
from tests.rig.mailed import queued, show
from tests.rig.operators import by_operator
from tests.rig.world import EMAIL, World

NEW = SecretStr("staple them together")
NEEDED = Rejected.because(Code.STEP_UP_REQUIRED)
ONE, TWO = bytes(range(32)), bytes(range(100, 132))


def sensitive(session: LoggedIn) -> list[AnyCommand]:
    token = session.access_token
    return [
        ChangePassword(access_token=token, current_password=PASSWORD, new_password=NEW),
        ChangeEmail(access_token=token, password=PASSWORD, new_email="new@example.com"),
        EraseAccount(access_token=token, password=PASSWORD),
    ]


def claims(token: SecretStr) -> dict[str, Any]:
    return signing.take_apart(token.get_secret_value()).body


async def test_what_could_take_an_account_away_needs_a_second_factor_shown_lately(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        session = await world.session()
        app = await enrolled(world, session)
        before = [await web.ask(web.draft(each)) for each in sensitive(session)]
        hashed = await guesses(world)
        token = await stepped_up(world, session, app.code())
        wrong = StepUp(access_token=token, code=app.code())
        again = await web.ask(web.draft(wrong))
        changed = await web.ask(web.draft(sensitive(session)[0]))
        await time_passes(world)
        later = await web.ask(web.draft(sensitive(session)[1]))

    assert before == [NEEDED] * 3
    assert hashed == []
    assert again == Rejected.because(Code.CODE_INVALID)
    assert changed == PasswordIsChanged(sessions_ended=0)
    assert later == NEEDED
    assert claims(session.access_token)["amr"] == ["pwd"]
    assert claims(token)["amr"] == ["pwd", "otp", "mfa"]
    assert claims(token)["auth_time"] == claims(token)["iat"]


async def test_a_refreshed_token_tells_when_the_second_factor_was_shown(world: World) -> None:
    web = world.web
    async with world.consuming():
        session = await world.session()
        app = await enrolled(world, session)
        token = await stepped_up(world, session, app.code())
        refresh = RefreshSession(session_id=session.session_id, refresh_token=session.refresh_token)
        refreshed = await web.ask(web.draft(refresh))

    assert isinstance(refreshed, Refreshed)
    for name in ("amr", "auth_time", "sid"):
        assert claims(refreshed.access_token)[name] == claims(token)[name]


async def test_an_administrator_grants_roles_by_a_second_factor_shown_lately(world: World) -> None:
    web = world.web
    async with world.consuming():
        root, ana = await world.session("root@example.com"), await world.session()
        await web.ask(
            by_operator(
                world, lambda by: GrantRole(access_token=by, user_id=root.user_id, role="admin")
            )
        )
        grant = GrantRole(access_token=root.access_token, user_id=ana.user_id, role="admin")
        app = await enrolled(world, root)
        refused = await web.ask(web.draft(grant))
        await stepped_up(world, root, app.code())
        granted = await web.ask(web.draft(grant))

    assert refused == NEEDED
    assert granted == UserRoles(user_id=ana.user_id, roles=("admin",))


async def test_a_lost_second_factor_is_reset_and_its_user_told(world: World) -> None:
    web = world.web
    async with world.consuming():
        ana = await world.session()
        await show(world, EMAIL)
        app = await enrolled(world, ana)
        reset = await web.ask(
            by_operator(world, lambda by: ResetSecondFactor(access_token=by, user_id=ana.user_id))
        )
        await world.logged_in()
        gone = DisableTotp(access_token=ana.access_token, code=app.recovery_code())
        missing = await web.ask(web.draft(gone))

    assert reset == SecondFactorIsReset(user_id=ana.user_id)
    assert missing == Rejected.because(Code.FACTOR_MISSING)
    told = [template for template, _ in await queued(world)]
    assert told == ["verify_email", "second_factor_on", "second_factor_off"]


async def rewrapped(world: World, masters: Masters) -> Batch:
    async with world.database.transaction() as db:
        return await rewrap(db, masters)


async def test_secrets_are_wrapped_again_when_the_master_was_replaced(world: World) -> None:
    old, both, new = Masters([ONE]), Masters([TWO, ONE]), Masters([TWO])
    async with world.consuming():
        session = await world.session()
        app = await enrolled(world, session)
    id_ = session.user_id

    async with world.database.transaction() as db:
        await db.exec_driver_sql(
            "UPDATE factors SET secret = $1", (wrapped(old, id_.bytes, app.secret),)
        )
    with pytest.raises(MasterKeyError, match=old.current):
        await rewrapped(world, new)
    batches = [await rewrapped(world, both), await rewrapped(world, both)]
    async with world.database.reading() as db:
        (factor,) = await factors.of(db, [id_])

    assert batches == [Batch(1, 0, None), Batch(0, 0, None)]
    assert factor.secret.startswith(bytes.fromhex(new.current))
    assert opened(factor, new) == app.secret
