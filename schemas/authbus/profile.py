"""A user's profile: what they say of themselves, and how much of it."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from authbus.open_enum import OpenEnum
from authbus.strict_json import read_json

LARGEST_ATTRIBUTES = 4096
DEEPEST_ATTRIBUTES = 4
MOST_KEYS = 64
LONGEST_KEY = 64

# Controls, line separators, and the marks that turn the direction of all that follows.
_HIDDEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
_NAME = rf"^[^{_HIDDEN}]*[^{_HIDDEN}\s][^{_HIDDEN}]*$"
_SUBTAGS = "^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$"
_ZONE = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
# No user and no password before the host, and nothing that needs quoting.
_HTTPS = (
    r"^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"
    r"([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$"
)


class ProfileField(OpenEnum):
    """A part of the profile."""

    DISPLAY_NAME = "display_name"
    LOCALE = "locale"
    TIME_ZONE = "time_zone"
    PICTURE_URL = "picture_url"
    ATTRIBUTES = "attributes"


def _bounded(attributes: dict[str, Any]) -> dict[str, Any]:
    keys = 0
    for text, is_key in _texts(attributes):
        keys += is_key
        if keys > MOST_KEYS or (is_key and len(text) > LONGEST_KEY):
            raise ValueError("too many keys, or one that is too long")
        if "\0" in text:
            raise ValueError("U+0000 is not allowed")
    try:
        written = json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        written = b""
    return read_json(written, max_bytes=LARGEST_ATTRIBUTES, max_depth=DEEPEST_ATTRIBUTES)


def _texts(value: object) -> Iterator[tuple[str, bool]]:
    """Every text at any depth, and whether it is a key."""
    left = [value]
    while left:
        match left.pop():
            case str(text):
                yield text, False
            case dict() as found:
                yield from ((str(key), True) for key in found)
                left += found.values()
            case list() as found:
                left += found
            case _:
                pass


_PERSONAL = Field(json_schema_extra={"x-personal": True})
_Kept = Annotated[str, _PERSONAL]

DisplayName = Annotated[str, StringConstraints(max_length=200, pattern=_NAME), _PERSONAL]
# Whether such a language or zone exists is the service's to judge.
Locale = Annotated[str, StringConstraints(max_length=35, pattern=_SUBTAGS), _PERSONAL]
TimeZone = Annotated[str, StringConstraints(max_length=64, pattern=_ZONE), _PERSONAL]
PictureUrl = Annotated[str, StringConstraints(max_length=1024, pattern=_HTTPS), _PERSONAL]
Attributes = Annotated[dict[str, Any], AfterValidator(_bounded), _PERSONAL]


class Profile(BaseModel):
    """What a user says of themselves; what they do not say is None.

    `version` counts its changes from 0. `locale` is a BCP 47 tag, `time_zone` a name of IANA's
    database, `picture_url` begins with https; `attributes` is any JSON object, of
    4096 bytes at most.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    version: Annotated[int, Field(ge=0)] = 0
    display_name: _Kept | None = Field(default=None, repr=False)
    locale: _Kept | None = Field(default=None, repr=False)
    time_zone: _Kept | None = Field(default=None, repr=False)
    picture_url: _Kept | None = Field(default=None, repr=False)
    attributes: Annotated[dict[str, Any], _PERSONAL] | None = Field(default=None, repr=False)


def asked(command: BaseModel) -> dict[str, Any]:
    """The fields of a profile that a command names, in order; None is to be cleared."""
    given = command.model_fields_set
    return {name: getattr(command, name) for name in ProfileField if name in given}


def changes(command: BaseModel, profile: Profile) -> dict[str, Any]:
    """Those of them that differ from the profile."""
    return {
        name: value
        for name, value in asked(command).items()
        if not _same_json(value, getattr(profile, name))
    }


def _same_json(one: object, other: object) -> bool:
    """To Python true is 1, to JSON it is not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def filled(command: BaseModel) -> dict[str, Any]:
    """The fields of a profile that a command gives a value."""
    return {name: value for name, value in asked(command).items() if value is not None}
