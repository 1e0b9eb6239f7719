"""A user of another system: what is taken over, what is refused and by which rule."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import ImportUser
from authbus.events import EmailVerified, ProfileUpdated, UserCreated
from authbus.profile import Profile
from authbus.replies import Code, Rejected, UserIsImported
from authbus_service.auth.cause import Cause
from authbus_service.auth.handlers import decide, prepare
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.rows import Rows
from authbus_service.core.security.operator import Operator
from tests.rig.made import NOW, POLICY, a_request, applied
from tests.unit.passwords.test_foreign import BCRYPT, COSTLY, FIREBASE

EMAIL = "Ana@example.com"


def importing(**more: Any) -> ImportUser:
    return ImportUser.model_validate({"access_token": "a token", "email": EMAIL, **more})


async def prepared(command: ImportUser) -> Proof:
    given: dict[str, Any] = {each.name: None for each in fields(Tools)}
    given |= {"token": lambda _: None, "operator": lambda _: None}  # pyright: ignore[reportUnknownLambdaType]
    return await prepare(a_request(command), Tools(**given))


async def decided(
    command: ImportUser, rows: Rows, *, free: bool = True, proven: bool = True
) -> Outcome:
    request = a_request(command)
    proof = await prepared(command)
    later = NOW + timedelta(minutes=1)
    operator = Operator(request.id, later) if proven else None
    if free:
        rows.users.owners[EMAIL.lower()] = request.derived.user_id
    outcome = decide(request, replace(proof, operator=operator), rows, NOW, POLICY)
    applied(outcome, Cause(request, rows, NOW, proof.password_hash))
    return outcome


async def test_an_account_is_taken_over_with_its_hash_address_and_profile() -> None:
    rows = Rows()
    command = importing(
        password_hash=BCRYPT, email_verified=True, display_name="Ana", locale=None, attributes={}
    )

    outcome = await decided(command, rows)

    (user,) = rows.users.new
    assert outcome.answer == UserIsImported(user_id=user.id)
    assert outcome.mails == ()
    told = [(type(each), each.sequence, each.actor) for each in outcome.events]
    kinds = (UserCreated, EmailVerified, ProfileUpdated)
    assert told == [(kind, place, "operator") for place, kind in enumerate(kinds, 1)]
    assert (user.email, user.email_verified, user.password_hash) == (EMAIL, True, BCRYPT)
    assert user.profile == Profile(version=1, display_name="Ana", attributes={})
    assert rows.codes.new == []


async def test_without_a_hash_the_user_has_no_password_and_no_more_events_than_needed() -> None:
    rows = Rows()

    outcome = await decided(importing(), rows)

    assert [type(each) for each in outcome.events] == [UserCreated]
    assert rows.users.new[0].password_hash == ""
    assert not rows.users.new[0].email_verified


@pytest.mark.parametrize(("costly", "rule"), COSTLY.values(), ids=COSTLY)
async def test_a_hash_that_costs_too_much_is_refused_by_its_rule(costly: str, rule: str) -> None:
    outcome = await decided(importing(password_hash=costly), Rows())

    assert outcome == refused(Code.PASSWORD_HASH_REFUSED, rule)


@pytest.mark.parametrize("unknown", ["", "5f4dcc3b5aa765d61d8327deb882cf99", "x" * 4096])
async def test_a_hash_of_no_known_form_is_refused_and_not_repeated(unknown: str) -> None:
    outcome = await decided(importing(password_hash=unknown), Rows())

    assert outcome == refused(Code.PASSWORD_HASH_REFUSED, "no known form of a hash")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"email": "no address"}, Code.EMAIL_INVALID),
        ({"locale": "xx-zz"}, Code.INVALID),
        ({"time_zone": "Mars/Phobos"}, Code.INVALID),
    ],
)
async def test_what_registering_or_a_profile_refuses_is_refused_here(
    wrong: dict[str, str], code: Code
) -> None:
    proof = await prepared(importing(**wrong))
    outcome = await decided(importing(**wrong), Rows())

    assert proof.claim is None
    assert isinstance(outcome.answer, Rejected)
    assert outcome.answer.code == code


async def test_a_stranger_does_not_learn_what_would_be_refused() -> None:
    outcome = await decided(importing(email="no address"), Rows(), proven=False)

    assert outcome == refused(Code.INVALID_TOKEN)


async def test_the_secret_of_firebase_is_not_kept() -> None:
    rows = Rows()

    await decided(importing(password_hash=FIREBASE), rows)

    (user,) = rows.users.by_id.values()
    assert user.password_hash.startswith("$fbscrypt-stream$")
    assert FIREBASE.partition("sk=")[2].partition("$")[0] not in user.password_hash


async def test_a_taken_address_and_a_stranger_change_nothing() -> None:
    taken = await decided(importing(), Rows(), free=False)
    stranger = await decided(importing(), Rows(), proven=False)

    assert taken == Outcome(Rejected.because(Code.EMAIL_TAKEN))
    assert stranger == Outcome(Rejected.because(Code.INVALID_TOKEN))


def test_a_hash_is_in_no_text_of_the_command() -> None:
    assert BCRYPT not in repr(importing(password_hash=BCRYPT))
    assert importing(password_hash=BCRYPT).password_hash == SecretStr(BCRYPT)
