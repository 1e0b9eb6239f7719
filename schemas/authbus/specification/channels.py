"""The channels of the AsyncAPI document: one for each topic, and one for every reply topic."""

from authbus import contract, topics
from authbus.message import Message
from authbus.specification.schemas import Json
from authbus.topics import Topic

REPLIES = "replies"
_BINDING = "0.5.0"
_NUMBERS = {"retention.ms", "max.message.bytes"}
_PURPOSES = {
    topics.CREDENTIALS.suffix: "Commands that cost a password hash.",
    topics.SESSIONS.suffix: "Commands about sessions: refresh, log out, end, list.",
    topics.ACCOUNTS.suffix: "Commands about an account: its profile, its address.",
    topics.ADMIN.suffix: "Commands of administrators, each by a token of their own.",
    topics.EVENTS.suffix: "Every identity event, in each user's order, each once.",
    topics.USERS_STATE.suffix: "The last word on each user; a null value: erased.",
    topics.KEYS_STATE.suffix: "Public keys, signed under the root key.",
    topics.SESSIONS_ENDED.suffix: "Sessions that ended before their tokens, and a heartbeat.",
    topics.AUDIT.suffix: "One record for each handled command, for auditors.",
    topics.DEAD_LETTERS.suffix: "Where and why a record could not be read; not its body.",
    topics.RELAY.suffix: "The relay's own memory. Not for others.",
}


def all_channels() -> Json:
    """The channels by id: a topic's name without the namespace; `replies` for every client's."""
    found = {topic.suffix: _channel(topic) for topic in topics.TOPICS}
    return {**found, REPLIES: _replies()}


def sent_on(topic: Topic) -> list[type[Message]]:
    """What the service sends onto this topic."""
    if topic is topics.EVENTS:
        return list(contract.EVENTS.values())
    return [model for model, home in contract.STATE.items() if home is topic]


def message_ref(channel: str, model: type[Message]) -> Json:
    """A reference to a message through its channel, as operations need it."""
    return {"$ref": f"#/channels/{channel}/messages/{model.__name__}"}


def first_sentence(model: type[Message]) -> str:
    """The first line of the model's docstring."""
    return (model.__doc__ or "").partition("\n")[0]


def _channel(topic: Topic) -> Json:
    received = [row.command for row in contract.ROWS if row.topic is topic]
    models = [*received, *sent_on(topic)]
    return {
        "address": f"{{namespace}}.{topic.suffix}",
        "title": topic.suffix,
        "summary": _PURPOSES[topic.suffix],
        "description": f"Key: {topic.key}. Personal data in the clear: "
        + ("yes." if topic.personal else "no."),
        "parameters": {
            "namespace": {
                "description": "Keeps environments apart on one cluster.",
                "default": topics.DEFAULT_NAMESPACE,
            }
        },
        "messages": _messages(models),
        "bindings": {"kafka": {"topic": topic.name(), **_binding(topic)}},
    }


def _replies() -> Json:
    topic = topics.replies("<client>")
    return {
        "address": None,
        "title": "replies",
        "summary": "Answers, on the topic of the client that asked.",
        "description": f"`{topic.name()}`, declared for each client: the only place where a reply "
        "may go. The command's `reply_to` names it. "
        f"Key: {topic.key}.",
        "messages": _messages(list(contract.REPLIES.values())),
        "bindings": {"kafka": _binding(topic)},
    }


def _messages(models: list[type[Message]]) -> Json:
    return {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in models}


def _binding(topic: Topic) -> Json:
    entries: Json = {
        name: int(value) if name in _NUMBERS else value for name, value in topic.config.items()
    }
    entries["cleanup.policy"] = topic.config["cleanup.policy"].split(",")
    return {
        "partitions": topic.partitions,
        "topicConfiguration": entries,
        "bindingVersion": _BINDING,
    }
