"""Small changes to a history, to be named and put together."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.chaos.checker.history import Answer, History, Message, Row, Told
from tests.chaos.checker.story import tables

Edit = Callable[[History], History]


def together(*edits: Edit) -> Edit:
    """One after the other."""

    def edit(history: History) -> History:
        for each in edits:
            history = each(history)
        return history

    return edit


def put(**fields: Any) -> Edit:
    """These fields instead."""
    return lambda history: replace(history, **fields)


def more(**fields: Any) -> Edit:
    """These at the end of the tuples, or in the sets."""

    def edit(history: History) -> History:
        joined: dict[str, Any] = {}
        for name, added in fields.items():
            there = getattr(history, name)
            joined[name] = there | added if isinstance(there, frozenset | dict) else there + added
        return replace(history, **joined)

    return edit


def without(name: str, is_meant: Callable[[Any], bool]) -> Edit:
    """One of the tuples without what is meant."""

    def edit(history: History) -> History:
        kept = tuple(each for each in getattr(history, name) if not is_meant(each))
        assert len(kept) < len(getattr(history, name)), "an edit of nothing"
        return replace(history, **{name: kept})

    return edit


def altered(name: str, is_meant: Callable[[Any], bool], **changes: Any) -> Edit:
    """What is meant in one of the tuples has other fields."""

    def edit(history: History) -> History:
        there = getattr(history, name)
        assert any(is_meant(each) for each in there), "an edit of nothing"
        new = tuple(replace(each, **changes) if is_meant(each) else each for each in there)
        return replace(history, **{name: new})

    return edit


def call(id_: str, /, **changes: Any) -> Edit:
    return altered("calls", lambda each: each.id == id_, **changes)


def answer(command: str, /, **changes: Any) -> Edit:
    return altered("answers", lambda each: each.command == command, **changes)


def answered_again(command: str, /, **changes: Any) -> Edit:
    """One more answer to this command, like its first but for the changes."""

    def edit(history: History) -> History:
        first: Answer = next(each for each in history.answers if each.command == command)
        return replace(history, answers=(*history.answers, replace(first, **changes)))

    return edit


def said(id_: str, /, **changes: Any) -> Edit:
    """The record on Kafka has another message, everywhere that it lies."""

    def other(told: Told) -> Told:
        wanted = told.message.id == id_
        return replace(told, message=replace(told.message, **changes)) if wanted else told

    return lambda history: replace(
        history,
        committed=tuple(map(other, history.committed)),
        uncommitted=tuple(map(other, history.uncommitted)),
    )


def event(id_: str, /, **changes: Any) -> Edit:
    """The event is another one, in the outbox and wherever it is said."""

    def other(row: Row) -> Row:
        wanted = row.message.id == id_
        return replace(row, message=replace(row.message, **changes)) if wanted else row

    return together(
        said(id_, **changes),
        lambda history: replace(history, written=tuple(map(other, history.written))),
    )


def exchanged(name: str, field: str, one: str, two: str) -> Edit:
    """Two rows, or two records, have each other's place."""

    def edit(history: History) -> History:
        there = getattr(history, name)
        place = {each.message.id: getattr(each, field) for each in there}
        place[one], place[two] = place[two], place[one]
        new = tuple(replace(each, **{field: place[each.message.id]}) for each in there)
        return replace(history, **{name: new})

    return edit


def everywhere(position: int, message: Message, *, partition: int = 0) -> Edit:
    """One more event, written at this position and said at this offset."""
    told, row = Told(partition, position, message), Row(position, 99, message)
    return more(written=(row,), committed=(told,), uncommitted=(told,))


def nowhere(id_: str) -> Edit:
    """The event was never written and never said."""

    def is_meant(each: Any) -> bool:
        return each.message.id == id_

    return together(*(without(name, is_meant) for name in ("written", "committed", "uncommitted")))


def unsaid(id_: str) -> Edit:
    """Nobody gets the event; it is written."""

    def is_meant(each: Any) -> bool:
        return each.message.id == id_

    return together(without("committed", is_meant), without("uncommitted", is_meant))


def stored(history: History) -> History:
    """The tables agree with the events, as they are by now."""
    return replace(history, **tables(history.written))
