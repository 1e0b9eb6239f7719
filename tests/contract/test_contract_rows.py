"""The table of the contract is whole, and its names follow one style."""

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

import authbus
from authbus import contract, events, specification, state, topics
from authbus.message import Command, Event, Message, Reply
from authbus.replies import Code, Rejected
from authbus.specification.channels import all_channels
from authbus.specification.messages import entries
from authbus.specification.table import as_json
from authbus_service.auth.handlers import APPLY, HANDLERS, QUESTIONS

# As decided: keys keep their order only while these stay.
PARTITIONS = {
    "auth.commands.credentials.v1": 12,
    "auth.commands.sessions.v1": 12,
    "auth.commands.accounts.v1": 6,
    "auth.commands.admin.v1": 6,
    "auth.events.v1": 12,
    "auth.state.users.v1": 12,
    "auth.state.keys.v1": 1,
    "auth.sessions.ended.v1": 3,
    "auth.audit.v1": 3,
    "auth.dead-letters.v1": 3,
    "auth.relay.v1": 1,
}
DAY = 24 * 60 * 60 * 1000


def declared(module: ModuleType, base: type[Message]) -> set[type[Message]]:
    return {
        found
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, base) and found.__module__ == module.__name__
    }


def everywhere(base: type[Message]) -> set[type[Message]]:
    """What any module of the contract declares of this kind."""
    modules = [import_module(f"authbus.{each.name}") for each in iter_modules(authbus.__path__)]
    return set[type[Message]]().union(*(declared(module, base) for module in modules)) - {base}


def test_each_command_has_one_row_and_a_reply() -> None:
    assert {row.command for row in contract.ROWS} == everywhere(Command)
    assert len(contract.ROWS) == len(contract.COMMANDS)
    for row in contract.ROWS:
        assert row.topic in topics.COMMAND_TOPICS
        assert contract.topic_of(row.command) is row.topic
        assert all(issubclass(reply, Reply) for reply in row.replies)
        assert Rejected not in row.replies
        assert set(row.events) <= set(contract.EVENTS.values())


def test_a_command_with_events_is_handled_and_one_without_is_a_question() -> None:
    assert HANDLERS.keys() == {row.command for row in contract.ROWS if row.events}
    assert QUESTIONS.keys() == {row.command for row in contract.ROWS if not row.events}
    assert APPLY.keys() == set(contract.EVENTS.values())


def test_each_message_in_the_code_is_in_the_table() -> None:
    assert set(contract.REPLIES.values()) == everywhere(Reply)
    assert set(contract.EVENTS.values()) == everywhere(Event)
    assert set(contract.STATE) == declared(state, Message)


def test_each_event_is_caused_by_a_command_and_tells_whose_it_is() -> None:
    caused = {event for row in contract.ROWS for event in row.events}

    assert caused == set(contract.EVENTS.values())
    for event in caused:
        assert issubclass(event, Event)
        assert {"user_id", "sequence", "actor", "causation_id"} <= event.model_fields.keys()


def test_wire_types_are_unique_and_name_class_and_version() -> None:
    found = [entry.model.wire_type() for entry in entries()]

    assert len(found) == len(set(found))
    for entry in entries():
        wire_type = entry.model.wire_type()
        assert wire_type == f"authbus.{entry.model.__name__}.v{entry.model.version}"
        assert re.fullmatch(r"authbus\.([A-Z][a-z]+)+\.v[1-9]\d*", wire_type)


def test_each_message_has_a_schema_and_an_example_on_disk() -> None:
    for message in as_json()["messages"].values():
        assert (specification.FOLDER / message["schema"]).is_file()
        assert (specification.FOLDER / message["example"]).is_file()


def test_topics_have_their_decided_names_and_partitions() -> None:
    assert {topic.name(): topic.partitions for topic in topics.TOPICS} == PARTITIONS
    assert topics.replies("web").name() == "auth.replies.web"
    assert topics.replies("web").partitions == 1


def test_a_namespace_stands_in_front_of_every_topic() -> None:
    for topic in (*topics.TOPICS, topics.replies("web")):
        assert topic.name("blue") == "blue." + topic.name().removeprefix("auth.")


def test_command_topics_are_kept_7_days_and_stamped_by_the_broker() -> None:
    for topic in topics.COMMAND_TOPICS:
        assert topic.config["retention.ms"] == str(7 * DAY)
        assert topic.config["max.message.bytes"] == "65536"
        assert topic.config["message.timestamp.type"] == "LogAppendTime"
        assert topic.config["compression.type"] == "producer"


def test_state_topics_are_compacted_and_events_are_kept_for_ever() -> None:
    for topic in (topics.USERS_STATE, topics.KEYS_STATE, topics.RELAY):
        assert topic.config["cleanup.policy"] == "compact"
    assert topics.EVENTS.config["retention.ms"] == "-1"
    assert topics.EVENTS.config["cleanup.policy"] == "delete"


@pytest.mark.parametrize("topic", topics.TOPICS, ids=lambda topic: topic.suffix)
def test_topic_names_are_lower_case_with_dots_and_a_version(topic: topics.Topic) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)*\.v[1-9]\d*", topic.suffix)
    assert all_channels()[topic.suffix]["bindings"]["kafka"]["topic"] == topic.name()


def test_events_are_told_in_the_past_tense_and_commands_are_not() -> None:
    assert [name.__name__ for name in contract.EVENTS.values() if not _past(name)] == []
    assert [name.__name__ for name in contract.COMMANDS.values() if _past(name)] == []


def test_fields_and_codes_are_snake_case() -> None:
    fields = {name for entry in entries() for name in entry.model.model_fields}

    for name in (*fields, *Code, *events.EndReason):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)


def _past(model: type[Message]) -> bool:
    return model.__name__.endswith("ed")
