"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def section(
    title: str, head: Sequence[str], lines: Iterable[Sequence[str]], before: str = ""
) -> str:
    """A heading, perhaps some words, and a table; each line has a cell for each part of `head`."""
    rows = [head, ["---"] * len(head), *lines]
    return f"## {title}\n{before}\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def code(text: str) -> str:
    """A name as it is written in code."""
    return f"`{text}`"
