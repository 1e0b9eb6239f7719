"""The contract as one page for people: no script, and nothing from elsewhere.

It is made of the packed `asyncapi.json` alone, so that it says what the spec says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from authbus.specification import FOLDER
from authbus_service.http.field_types import Field, fields

_REF = "#/components/"
_DAYS = 24 * 60 * 60 * 1000
_KINDS = {"commands": "command", "replies": "reply", "events": "event", "state": "state"}
_ORDER = ("commands", "replies", "events", "state", "sessions")


@dataclass(frozen=True, slots=True)
class Card:
    """One message: what it says, field by field, and an example."""

    title: str
    wire_type: str
    summary: str
    more: str
    kind: str
    fields: list[Field]
    example: str
    replies: list[str]
    events: list[str]


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic and the messages on it, which AsyncAPI calls a channel."""

    address: str
    anchor: str
    summary: str
    description: str
    partitions: int
    kept: str
    messages: list[Card]


def spec_bytes() -> bytes:
    """The AsyncAPI document as it is packed."""
    return (FOLDER / "asyncapi.json").read_bytes()


def style_bytes() -> bytes:
    """The page's style sheet."""
    return _pages().get_template("contract.css").render().encode()


@cache
def contract_page(namespace: str) -> bytes:
    """The page for an installation; takes a tenth of a second once, so ask in a thread."""
    spec = json.loads(spec_bytes())
    channels = [
        _channel(spec, each, namespace) for each in sorted(spec["channels"].values(), key=_rank)
    ]
    filled = {"info": spec["info"], "namespace": namespace, "channels": channels, "kinds": _KINDS}
    return _pages().get_template("contract.html").render(filled).encode()


def _rank(channel: Mapping[str, Any]) -> tuple[int, str]:
    title: str = channel["title"]
    kind = title.partition(".")[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER), title


def _channel(spec: Mapping[str, Any], channel: Mapping[str, Any], namespace: str) -> Channel:
    kafka = channel["bindings"]["kafka"]
    config = kafka.get("topicConfiguration", {})
    return Channel(
        address=(channel["address"] or "{namespace}.replies.<client>").replace(
            "{namespace}", namespace
        ),
        anchor=channel["title"].replace(".", "-"),
        summary=channel.get("summary", ""),
        description=channel.get("description", ""),
        partitions=kafka["partitions"],
        kept=_kept(config),
        messages=[_card(spec, name) for name in channel["messages"]],
    )


def _kept(config: Mapping[str, Any]) -> str:
    if "compact" in config.get("cleanup.policy", ()):
        return "the newest of each key"
    milliseconds = int(config.get("retention.ms", -1))
    if milliseconds < 0:
        return "for ever"
    days, rest = divmod(milliseconds, _DAYS)
    return f"{days} days" if days and not rest else f"{milliseconds / 60_000:g} minutes"


def _card(spec: Mapping[str, Any], name: str) -> Card:
    message = spec["components"]["messages"][name]
    schema = _schema(spec, name, message)
    summary, _, more = schema.get("description", message.get("summary", "")).partition("\n\n")
    asked = next(_asked(spec, name), {})
    answers = asked.get("reply", {}).get("messages", ())
    return Card(
        title=message["title"],
        wire_type=message["name"],
        summary=summary,
        more=more,
        kind=message["tags"][0]["name"],
        fields=fields(schema, spec["components"]["schemas"]),
        example=_example(message),
        replies=[each["$ref"].rpartition("/")[2] for each in answers],
        events=[_class_name(each) for each in asked.get("x-events", ())],
    )


def _schema(spec: Mapping[str, Any], name: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the message says: of a sealed one what is inside."""
    schemas = spec["components"]["schemas"]
    if name in schemas:
        return schemas[name]
    return schemas[message["payload"]["$ref"].removeprefix(f"{_REF}schemas/")]


def _asked(spec: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (each for key, each in spec["operations"].items() if key == f"receive{name}")


def _class_name(wire_type: str) -> str:
    return wire_type.split(".")[1]


def _example(message: Mapping[str, Any]) -> str:
    shown = dict(next(iter(message.get("examples", ())), {}))
    shown.pop("name", None)
    sealed = message.get("x-sealed-example")
    if sealed is not None:
        shown["value, before it is sealed"] = sealed
    elif "payload" in shown:
        shown["value"] = shown.pop("payload")
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _prose(text: str) -> Markup:
    """What stands in backquotes is code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("authbus_service.http", "pages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["prose"] = _prose
    return pages
