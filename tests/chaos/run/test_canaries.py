"""Whatever is secret in a run is looked for afterwards."""

from datetime import UTC, datetime
from email.message import EmailMessage
from random import Random
from types import SimpleNamespace
from typing import Any

from authbus.replies import LoggedIn
from authbus_service.core.ids import new_id
from tests.chaos.run.canaries import canaries
from tests.chaos.run.client import secrets_of
from tests.chaos.run.operator import Operator
from tests.chaos.run.people import People, secret

KEY = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
HELD = LoggedIn(
    user_id=new_id(),
    session_id=new_id(),
    access_token=secret("head.body.signature-of-it"),
    access_token_expires_at=datetime.now(UTC),
    refresh_token=secret("family.newest-of-it"),
    session_expires_at=datetime.now(UTC),
    device_token=secret("device"),
)


def a_mail(code: str) -> EmailMessage:
    mail = EmailMessage()
    mail.set_content(f"Here: https://www.example.com/account/verify-email?code={code}\n")
    mail.add_alternative("<p>Here</p>", subtype="html")
    return mail


def test_passwords_tokens_codes_proofs_and_the_master_key_are_looked_for() -> None:
    people, operator = People(Random(1)), Operator.of({"AUTHBUS_MASTER_KEY": KEY})
    person, proof = people.new(), operator.proves(new_id()).get_secret_value()
    stage: Any = SimpleNamespace(post=SimpleNamespace(taken=[a_mail("mailed-code")]))
    client: Any = SimpleNamespace(secrets=secrets_of(HELD))

    found = canaries(stage, [client], people, operator)

    assert {*found} == {
        *person.passwords,
        proof.rpartition(".")[2],
        KEY,
        "signature-of-it",
        "newest-of-it",
        "device",
        "mailed-code",
    }
