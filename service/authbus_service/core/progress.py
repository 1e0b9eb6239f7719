"""How work that takes long tells how far it has come."""

from collections.abc import Callable

# Called with a step's name, how much of it is done, and how much there is, where that is known.
Tell = Callable[[str, int, int | None], None]
