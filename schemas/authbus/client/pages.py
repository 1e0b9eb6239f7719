"""What comes in pages, asked for to the end."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from authbus.replies import UserExport


class Paged(Protocol):
    """An answer that says where the next page begins."""

    @property
    def next(self) -> str | None: ...


P = TypeVar("P", bound=Paged)


async def pages(ask: Callable[[str | None], Awaitable[P]]) -> list[P]:
    """Every page, asked for one behind the other. Raises what `ask` raises."""
    found = [await ask(None)]
    while (after := found[-1].next) is not None:
        found.append(await ask(after))
    return found


def whole(exported: Sequence[UserExport]) -> UserExport:
    """One export of all its pages: what was held from the first one's time on is in it."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for page in exported:
        for name, rows in page.tables.items():
            tables.setdefault(name, []).extend(rows)
    return exported[0].model_copy(update={"tables": tables, "next": None})
