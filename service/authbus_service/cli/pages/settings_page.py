"""The page of all settings: name, type, default, meaning."""

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import SecretStr

from authbus.specification.tables import code, section
from authbus_service.core.account_settings import AccountSettings
from authbus_service.core.config import EMBEDDED, Settings
from authbus_service.core.kafka_settings import KafkaSettings
from authbus_service.core.settings import name_of

NAME = "settings.md"
_INTRO = """\
# Settings

Made by `authbus spec` from the code; do not edit. Read from the environment, or from a file `.env`
in the working directory, over which the environment goes. An unknown `AUTHBUS_` name is an error
that names the nearest right one; an empty value counts as none. `.env.example` has all
but those of the last table.
"""
_COLUMNS = ("name", "type", "default", "meaning")
_OWN = "Read from the environment alone.\n"
# On servers of one's own these two differ: the usual values are those on servers that are given.
_GIVEN = {"kafka_bootstrap_servers": "kafka:9092", "database_url": SecretStr("postgresql://db")}


def as_markdown() -> str:
    """The whole page."""
    kafka, accounts = KafkaSettings.model_fields.keys(), AccountSettings.model_fields.keys()
    service = Settings.model_fields.keys() - kafka - accounts
    rows = dict(_rows())
    areas = {"The service": service, "Accounts": accounts, "Kafka": kafka}
    own = [(code(name), "text", "", meaning) for name, meaning in EMBEDDED.items()]
    parts = (
        _INTRO,
        *(section(title, _COLUMNS, _of(fields, rows)) for title, fields in areas.items()),
        section("Servers of its own", _COLUMNS, own, _OWN),
    )
    return "\n".join(parts)


def _of(fields: Collection[str], rows: dict[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [row for field, row in rows.items() if field in fields]


def _rows() -> Iterator[tuple[str, tuple[str, ...]]]:
    usual = dict(Settings.model_validate(_GIVEN))
    told: dict[str, dict[str, Any]] = Settings.model_json_schema(by_alias=False)["properties"]
    for field, schema in told.items():
        default = "" if field in _GIVEN or usual[field] is None else code(str(usual[field]))
        yield field, (code(name_of(field)), _kind(schema), default, schema["description"])


def _kind(schema: dict[str, Any]) -> str:
    """What may be given, in words."""
    (one,) = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    match one:
        case {"enum": values}:
            return ", ".join(code(each) for each in values)
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"{least:,} to {most:,}"
        case {"format": "path"}:
            return "path"
        case {"format": "password"}:
            return "secret"
        case _:
            return "text"
