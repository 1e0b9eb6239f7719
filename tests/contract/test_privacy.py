"""Personal data and secrets stand only where they may."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import pytest
from pydantic import Field

from authbus import topics
from authbus.message import Command, Email, Event, Message, Reply, Secret
from authbus.specification import examples
from authbus.specification.marks import PERSONAL, SECRET, leaves, marked
from authbus.specification.messages import Entry, Kind, entries

# Field names that say what they hold; such a field must carry the mark.
PERSONAL_NAMES = re.compile(
    r"(^|_)(e?mail|phone|name|given_name|surname|nickname|birth\w*|address|street|city|locale|zone"
    r"|ip|user_agent|device|picture|avatar|location)s?$"
)
SECRET_NAMES = re.compile(
    r"(^|_)(password|passphrase|secret|token|totp|otp|recovery_codes?|private_key|hash)$"
)
# Free text in unsealed messages on topics without personal data: each was looked at.
REVIEWED = {
    "Rejected.code",  # an open enumeration of ours
    "Rejected.detail",  # words of ours, never of the sender's
    "UserCreated.actor",  # `user:<id>`, `admin:<id>` or `service`
    "SessionStarted.actor",
    "SessionStarted.client_id",  # a declared client
    "SessionStarted.amr[]",  # RFC 8176 names
    "SessionRefreshed.actor",
    "SessionEnded.actor",
    "PasswordChanged.actor",
    "PasswordChanged.reason",  # an open enumeration of ours
    "PasswordResetRequested.actor",
    "PasswordResetForced.actor",
    "SessionEnded.reason",  # an open enumeration of ours
    "UserDeactivated.actor",
    "UserDeactivated.reason",  # an open enumeration of ours
    "UserReactivated.actor",
    "UserLocked.actor",
    "UserUnlocked.actor",
    "UserUnlocked.reason",  # an open enumeration of ours
    "ProfileUpdated.actor",
    "ProfileUpdated.fields[]",  # an open enumeration of ours
    "EmailVerificationRequested.actor",
    "EmailVerified.actor",
    "EmailChangeRequested.actor",
    "EmailChanged.actor",
    "RoleGranted.actor",
    "RoleGranted.role",  # a declared role
    "RoleRevoked.actor",
    "RoleRevoked.role",
    "UserRoles.roles[]",
    "UserErased.actor",
    "TotpRequested.actor",
    "SecondFactorRequested.actor",
    "TotpUsed.actor",
    "SessionElevated.actor",
    "SessionElevated.amr[]",  # RFC 8176 names
    "RecoveryCodeUsed.actor",
    "TotpEnabled.actor",
    "TotpDisabled.actor",
    "TotpDisabled.reason",  # an open enumeration of ours
    "PublicKey.kid",
    "PublicKey.jwk{}",  # a public key
    "PublicKey.signature",
    "AuditRecord.command",  # a wire type of ours
    "AuditRecord.outcome",  # `done` or a code of ours
    "AuditRecord.actor",
    "AuditRecord.client_id",  # a declared client
    "AuditRecord.source",  # an HMAC
    "UserCreated.kind",  # an open enumeration of ours
    "ServiceSecretRotated.actor",
    "DeadLetter.topic",  # where a record lies
    "DeadLetter.digest",  # SHA-256 in hex
    "DeadLetter.reason",  # an open enumeration of ours
    "DeadLetterClosed.how",  # a word of ours
    "DeadLetterClosed.outcome",  # `done` or a code of ours
}


def findings(checked: Iterable[Entry]) -> list[str]:
    """What is in the clear and must not be, or is not marked as what it is."""
    found: list[str] = []
    for entry in checked:
        name = entry.model.__name__
        if not entry.sealed:
            found += [f"{name}.{path} is secret" for path in marked(entry.model, SECRET)]
        if not entry.personal:
            found += [f"{name}.{path} is personal" for path in marked(entry.model, PERSONAL)]
        found += [f"{name}.{path} is not marked" for path in unmarked(entry.model)]
    return found


def unmarked(model: type[Message]) -> set[str]:
    rules = ((PERSONAL, PERSONAL_NAMES), (SECRET, SECRET_NAMES))
    return {
        path
        for mark, names in rules
        for path, _ in leaves(model)
        if names.search(re.sub(r"(\[\]|\{\})+$", "", path).rpartition(".")[2])
        and path.rstrip("[]{}") not in {at.rstrip("[]{}") for at in marked(model, mark)}
    }


def free_text(entry: Entry) -> set[str]:
    return {
        f"{entry.model.__name__}.{path}"
        for path, schema in leaves(entry.model)
        if schema.get("type") == "string" and not bounded(schema)
    }


def bounded(schema: dict[str, Any]) -> bool:
    return bool({"enum", "const"} & schema.keys()) or schema.get("format") in {"uuid", "date-time"}


def texts_at(data: Any, path: list[str]) -> list[str]:
    """The texts at this path, where the example has any; `name[]` goes into each of a list."""
    if not path:
        return [data] if isinstance(data, str) else []
    name, listed, _ = path[0].partition("[]")
    found = data.get(name) if isinstance(data, dict) else None
    inside = (found or ()) if listed else (found,)
    return [text for each in inside for text in texts_at(each, path[1:])]


class Told(Event):
    email: Email


class ToldDeep(Event):
    class Change(Message):
        before: Annotated[str, Field(json_schema_extra={PERSONAL: True})] | None = None

    changes: tuple[Change, ...]


class Answered(Reply):
    access_token: Secret


class Forgot(Event):
    given_name: str
    ip: str | None = None


class Kept(Message):
    phones: dict[str, str]


def as_event(model: type[Message]) -> Entry:
    return Entry(model, Kind.EVENT, topics.EVENTS, sealed=False)


def test_no_message_of_the_contract_shows_personal_data_or_secrets() -> None:
    assert findings(entries()) == []


def test_free_text_outside_seals_and_personal_topics_was_reviewed() -> None:
    found = {text for entry in entries() if not entry.personal for text in free_text(entry)}

    assert found == REVIEWED


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (as_event(Told), {"Told.email is personal"}),
        (as_event(ToldDeep), {"ToldDeep.changes[].before is personal"}),
        (as_event(Forgot), {"Forgot.given_name is not marked", "Forgot.ip is not marked"}),
        (Entry(Kept, Kind.STATE, topics.USERS_STATE, sealed=False), {"Kept.phones is not marked"}),
        (Entry(Told, Kind.STATE, topics.KEYS_STATE, sealed=False), {"Told.email is personal"}),
        (Entry(Answered, Kind.REPLY, None, sealed=False), {"Answered.access_token is secret"}),
    ],
)
def test_a_field_that_does_not_belong_there_is_found(entry: Entry, expected: set[str]) -> None:
    assert {line.replace("{}", "") for line in findings([entry])} == expected


@pytest.mark.parametrize(
    "entry",
    [
        Entry(Told, Kind.STATE, topics.USERS_STATE, sealed=False),
        Entry(Answered, Kind.REPLY, None, sealed=True),
    ],
)
def test_a_field_in_its_place_passes(entry: Entry) -> None:
    assert findings([entry]) == []


def test_only_the_state_of_users_is_declared_for_personal_data() -> None:
    assert [topic for topic in topics.TOPICS if topic.personal] == [topics.USERS_STATE]


def test_every_command_is_sealed() -> None:
    assert all(entry.sealed for entry in entries() if issubclass(entry.model, Command))


@pytest.mark.parametrize(
    "entry", [pytest.param(entry, id=entry.name) for entry in entries() if entry.sealed]
)
def test_a_secret_is_in_no_repr_and_no_error_text(entry: Entry) -> None:
    value = examples.VALUES[entry.model]
    data = value.to_json()
    marks = marked(entry.model, SECRET) + marked(entry.model, PERSONAL)
    hidden = [text for name in marks for text in texts_at(data, name.split("."))]

    with pytest.raises(ValueError, match="validation error") as refused:
        entry.model.model_validate({**data, **dict.fromkeys(data, 17)})
    shown = f"{value!r} {value} {refused.value} {examples.headers(entry)} {examples.key(entry)}"

    assert [text for text in hidden if text in shown] == []
