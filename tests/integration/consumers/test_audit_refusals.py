"""auth.audit.v1: what is refused names who asked and about whom, where that is known."""

from pydantic import SecretStr

from authbus import (
    ChangePassword,
    CompletePasswordReset,
    GrantRole,
    ImportUser,
    RequestPasswordReset,
)
from authbus.second_factor import CompleteLogIn, ConfirmTotp
from authbus_service.auth.codes.code import Purpose
from tests.integration.consumers.audited import WRONG, of
from tests.rig.authenticator import challenged, enrolled, started
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.mailed import code
from tests.rig.operators import by_operator
from tests.rig.world import World

SHORT, GOOD = SecretStr("short"), SecretStr("quite another horse battery")


async def test_what_a_session_is_refused_names_whose_it_is(world: World) -> None:
    world.settings = {"guesses": 1, "guess_wait_seconds": 600}
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        (ana,) = await crowd.with_sessions(1)
        token = ana.access_token
        await started(world, ana)
        drafts = [
            web.draft(
                ChangePassword(access_token=token, current_password=current, new_password=new)
            )
            for current, new in ((PASSWORD, SHORT), (WRONG, GOOD), (PASSWORD, GOOD))
        ]
        drafts += [web.draft(ConfirmTotp(access_token=token, code=WRONG)) for _ in range(2)]
        for draft in drafts:
            await web.ask(draft)

    outcomes = ("password_too_short", *("invalid_credentials",) * 2, *("code_invalid",) * 2)
    assert [(each.outcome, each.actor, each.subject) for each in await of(world, *drafts)] == [
        (outcome, f"user:{ana.user_id}", ana.user_id) for outcome in outcomes
    ]


async def test_a_code_that_is_refused_names_whose_it_was(world: World) -> None:
    crowd, web = Crowd(world), world.web
    async with world.consuming():
        (ana,) = await crowd.with_sessions(1)
        app = await enrolled(world, ana)
        done = CompleteLogIn(challenge=await challenged(world, email(0)), code=app.code())
        await web.ask(web.draft(RequestPasswordReset(email=email(0))))
        mailed = SecretStr(await code(world, Purpose.RESET_PASSWORD, email(0)))
        drafts = [
            web.draft(each)
            for each in (
                done,
                done,
                CompletePasswordReset(code=mailed, new_password=SHORT),
                CompletePasswordReset(code=mailed, new_password=GOOD),
                CompletePasswordReset(code=mailed, new_password=GOOD),
                CompletePasswordReset(code=WRONG, new_password=GOOD),
            )
        ]
        for draft in drafts:
            await web.ask(draft)

    user, id_ = f"user:{ana.user_id}", ana.user_id
    assert [(each.outcome, each.actor, each.subject) for each in await of(world, *drafts)] == [
        ("done", user, id_),
        ("challenge_invalid", None, id_),
        ("password_too_short", None, id_),
        ("done", user, id_),
        ("code_invalid", None, id_),
        ("code_invalid", None, None),
    ]


async def test_an_import_that_is_refused_names_the_administrator(world: World) -> None:
    crowd, web = Crowd(world), world.web
    wrong = ({"email": "no address"}, {"password_hash": "md5"}, {"locale": "xx-zz"})
    async with world.consuming():
        ana, root = await crowd.with_sessions(2)
        await web.ask(
            by_operator(
                world,
                lambda by: GrantRole(access_token=by, user_id=root.user_id, role="admin"),
            )
        )

        def made(token: SecretStr, more: dict[str, str]) -> ImportUser:
            asked = {"access_token": token, "email": "bob@example.com", **more}
            return ImportUser.model_validate(asked)

        drafts = [
            *(web.draft(made(root.access_token, each)) for each in wrong),
            by_operator(world, lambda by: made(by, wrong[0])),
            web.draft(made(ana.access_token, wrong[0])),
        ]
        for draft in drafts:
            await web.ask(draft)

    admin = f"admin:{root.user_id}"
    assert [(each.outcome, each.actor, each.subject) for each in await of(world, *drafts)] == [
        ("email_invalid", admin, None),
        ("password_hash_refused", admin, None),
        ("invalid", admin, None),
        ("email_invalid", "operator", None),
        ("forbidden", f"user:{ana.user_id}", None),
    ]
