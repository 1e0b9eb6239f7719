"""Messages: frozen data with a stable type name. Commands ask, events tell, replies answer."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
)


def _reveal(secret: SecretStr) -> str:
    return secret.get_secret_value()


def _no_nul(secret: SecretStr) -> SecretStr:
    _storable(secret.get_secret_value())
    return secret


def _storable(text: str) -> str:
    """PostgreSQL has no U+0000; lone surrogates are refused where the JSON is read."""
    if "\0" in text:
        raise ValueError("U+0000 is not allowed: leave it out")
    return text


LONGEST_SECRET = 4096

# A secret is written only into JSON, which is then sealed; repr, str and logs show stars.
Secret = Annotated[
    SecretStr,
    Field(max_length=LONGEST_SECRET, repr=False, json_schema_extra={"x-secret": True}),
    AfterValidator(_no_nul),
    PlainSerializer(_reveal, when_used="json"),
]

_Bounded = Annotated[
    SecretStr,
    Field(max_length=LONGEST_SECRET),
    AfterValidator(_no_nul),
    PlainSerializer(_reveal, when_used="json"),
]
SecretOrNone = Annotated[_Bounded | None, Field(repr=False, json_schema_extra={"x-secret": True})]
Secrets = Annotated[tuple[_Bounded, ...], Field(repr=False, json_schema_extra={"x-secret": True})]

# Syntax and canonical form are the service's to judge; here stand only the outer bounds.
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254),
    Field(repr=False, json_schema_extra={"x-personal": True, "format": "email"}),
]

_Address = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254),
    Field(json_schema_extra={"format": "email"}),
]
EmailOrNone = Annotated[_Address | None, Field(repr=False, json_schema_extra={"x-personal": True})]
EmailPart = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=254), AfterValidator(_storable)]
    | None,
    Field(repr=False, json_schema_extra={"x-personal": True}),
]
# Text that a producer tells of a person, in one line; as it is, nobody judges it.
_Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
PersonalText = Annotated[
    _Line | None,
    Field(repr=False, json_schema_extra={"x-personal": True}),
]
# Where a page of an export or of sessions begins: a table and a row's key, a time and an id.
ExportPlace = Annotated[
    Annotated[str, StringConstraints(max_length=300, pattern=r"^[a-z_]+ [ -~]+$")] | None,
    Field(repr=False, json_schema_extra={"x-personal": True}),
]
SessionPlace = Annotated[str, StringConstraints(pattern=r"^[0-9T:.-]{26}Z [0-9a-f-]{36}$")]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9_-]+$")]


class Message(BaseModel):
    """A frozen record. Its wire type is `authbus.<ClassName>.v<version>`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: ClassVar[int] = 1

    @classmethod
    def wire_type(cls) -> str:
        """The CloudEvents `type` of this message, for example `authbus.LogIn.v1`."""
        return f"authbus.{cls.__name__}.v{cls.version}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data; secrets are revealed, so the result must be sealed when it has any."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_bytes(self) -> bytes:
        """The same data as a record's value; it too must be sealed when it has any secret."""
        return self.model_dump_json(exclude_none=True).encode()


class Command(Message):
    """Asks for something. A field that the service does not know is refused, never dropped."""

    model_config = ConfigDict(extra="forbid")


class Reply(Message):
    """Answers one producer, as a JWE to the reply key where the command names one.

    `sealed` replies carry secrets and are not told without such a key; a refusal is always clear.
    """

    model_config = ConfigDict(extra="ignore")

    sealed: ClassVar[bool] = False


class Event(Message):
    """Tells what happened to one user. `sequence` counts 1, 2, 3 ... per user without gaps.

    `actor` is who did it (`user:<id>`, `admin:<id>`, `operator`, `service`), `causation_id` the
    command that caused it. No field is secret or personal.
    """

    model_config = ConfigDict(extra="ignore")

    user_id: UUID
    sequence: Annotated[int, Field(ge=1)]
    actor: Annotated[str, StringConstraints(max_length=64)]
    causation_id: UUID


Instant = AwareDatetime
