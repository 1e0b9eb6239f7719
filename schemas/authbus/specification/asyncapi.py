"""The AsyncAPI 3.0 document, told by the service: it receives commands and sends the rest."""

from authbus import contract, topics
from authbus.envelope import JSON_TYPE, SEALED_TYPE, Sealed
from authbus.replies import Rejected
from authbus.specification import channels, examples, headers, schemas
from authbus.specification import messages as entries_of
from authbus.specification.messages import Entry, Kind
from authbus.specification.schemas import Json

VERSION = "0.1.0"
SCHEMAS = "#/components/schemas/"
_BINDING = "0.5.0"
_JWE: Json = {
    "title": "JWE",
    "description": "A compact JWE: ECDH-ES on P-256, A256GCM; in a command with its key's `kid`.",
    "type": "string",
    "pattern": r"^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$",
}
_CLEAR = "To a command without `reply_key` it comes in the clear, as `application/json`."
_ABOUT = """\
An auth service on Kafka. This document speaks for the service: what it receives is what a producer
sends. Every record is a CloudEvent in binary mode. A command's value is one compact JWE, and so is
that of each answer but a refusal; what is inside is the schema under `x-sealed-payload`. Fields
marked `x-personal` are personal data, fields marked `x-secret` are secrets; neither stands in the
clear on a topic that is not declared for it. The address parameter `namespace` keeps environments
apart on one cluster; a channel's Kafka binding names the topic of the default one. How a command is
sealed and sent, a token checked and events read, step by step: `contract.md` beside this document.
"""


def document() -> Json:
    """The whole document; references stay inside it."""
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": JSON_TYPE,
        "servers": _servers(),
        "channels": channels.all_channels(),
        "operations": _operations(),
        "components": _components(),
    }


def _info() -> Json:
    return {
        "title": "authbus",
        "version": VERSION,
        "description": _ABOUT,
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        "tags": [{"name": kind.value} for kind in Kind],
    }


def _servers() -> Json:
    bootstrap = {"description": "One of the brokers.", "default": "localhost:9092"}
    schemes = [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY]
    server: Json = {"host": "{bootstrap}", "variables": {"bootstrap": bootstrap}}
    return {
        "kafka": {**server, "protocol": "kafka", "description": "A broker on this machine."},
        "kafka-secure": {
            **server,
            "protocol": "kafka-secure",
            "description": "Every other broker: TLS, and a principal for each client.",
            "security": schemes,
        },
    }


_SECURITY: dict[str, Json] = {
    "mutualTls": {"type": "X509", "description": "A client certificate."},
    "scramSha512": {"type": "scramSha512", "description": "SASL/SCRAM-SHA-512 inside TLS."},
}


def _operations() -> Json:
    found: Json = {}
    for row in contract.ROWS:
        channel = row.topic.suffix
        found[f"receive{row.command.__name__}"] = {
            "action": "receive",
            "title": row.command.__name__,
            "summary": channels.first_sentence(row.command),
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [channels.message_ref(channel, row.command)],
            "reply": {
                "address": {"location": "$message.header#/reply_to"},
                "channel": {"$ref": f"#/channels/{channels.REPLIES}"},
                "messages": [
                    channels.message_ref(channels.REPLIES, reply)
                    for reply in (*row.replies, Rejected)
                ],
            },
            "x-events": [event.wire_type() for event in row.events],
        }
    for topic in topics.TOPICS:
        models = channels.sent_on(topic)
        if models:
            found[f"send.{topic.suffix}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic.suffix}"},
                "messages": [channels.message_ref(topic.suffix, model) for model in models],
            }
    return found


def _components() -> Json:
    entries = list(entries_of.entries())
    models = [Sealed, *(entry.model for entry in entries)]
    commands = [entry for entry in entries if entry.kind is Kind.COMMAND]
    return {
        "schemas": {
            **schemas.components(models, SCHEMAS),
            **{headers.NAMES[kind]: headers.schema(kind) for kind in Kind},
            **{f"Sealed{e.model.__name__}": schemas.sealed_as(e, SCHEMAS) for e in commands},
            "JWE": _JWE,
        },
        "messages": {entry.model.__name__: _message(entry) for entry in entries},
        "correlationIds": {
            "header": {
                "description": "Chosen by the producer, comes back as it was.",
                "location": "$message.header#/correlation_id",
            }
        },
        "securitySchemes": _SECURITY,
    }


def _message(entry: Entry) -> Json:
    found: Json = {
        "name": entry.model.wire_type(),
        "title": entry.model.__name__,
        "summary": channels.first_sentence(entry.model),
        "contentType": SEALED_TYPE if entry.wrapped else JSON_TYPE,
        "headers": headers.of_message(entry.kind, entry.model, SCHEMAS),
        "payload": {"$ref": SCHEMAS + ("JWE" if entry.wrapped else entry.model.__name__)},
        "tags": [{"name": entry.kind.value}],
        "bindings": {"kafka": {"key": headers.key(entry.topic), "bindingVersion": _BINDING}},
        "examples": [_example(entry)],
    }
    if entry.wrapped and not entry.sealed:
        found["description"] = _CLEAR
    if entry.wrapped:
        prefix = "Sealed" if entry.kind is Kind.COMMAND else ""
        found["x-sealed-example"] = examples.value(entry)
        found["x-sealed-payload"] = {"$ref": f"{SCHEMAS}{prefix}{entry.model.__name__}"}
    if entry.kind in {Kind.COMMAND, Kind.REPLY}:
        found["correlationId"] = {"$ref": "#/components/correlationIds/header"}
    return found


def _example(entry: Entry) -> Json:
    payload = {} if entry.wrapped else {"payload": examples.value(entry)}
    return {"name": entry.model.__name__, "headers": examples.headers(entry), **payload}
