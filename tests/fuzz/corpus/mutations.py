"""Right records with bytes flipped, cut, put in and moved, as Hypothesis draws it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.case import Case, Family, Make, Try
from tests.fuzz.scene import Scene
from tests.rig.producing import Draft

# Of a value whose bytes were changed, and of one whose headers were.
SPOILT = ("not_sealed", "bad_seal", "unknown_key", "secret_exposed", "empty")
LABELS = ("bad_header", "header_mismatch", "reply_not_allowed")
Header = tuple[str, bytes | None]


@dataclass(frozen=True)
class Change:
    """`where` and `which` are shares of a length, `what` are bytes."""

    kind: str
    where: float
    which: float
    what: bytes


KINDS = (
    *("flip", "cut", "put", "replace", "repeat", "move"),
    *("drop header", "double header", "spoil header", "swap headers", "rename header", "key"),
)
CHANGES = st.lists(
    st.builds(
        Change,
        st.sampled_from(KINDS),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=24),
    ),
    min_size=1,
    max_size=3,
)
_DRAWN_AT_ONCE = 500


def mutated(changes: Sequence[Change]) -> Make:
    def make(scene: Scene) -> Try:
        right, said = scene.either()
        draft = right
        for change in changes:
            draft = _changed(draft, change)
        if draft.value != right.value:
            return Try.of(draft, *SPOILT, *LABELS)
        return Try.of(draft, said, *LABELS)

    return make


def _changed(draft: Draft, change: Change) -> Draft:
    if change.kind == "key":
        return draft.but(key=change.what)
    if "header" in change.kind:
        return draft.but(headers=_relabelled(list(draft.headers), change))
    return draft.but(value=_altered(draft.value, change))


def _altered(value: bytes, change: Change) -> bytes:
    start, end = sorted(int(share * len(value)) for share in (change.where, change.which))
    before, middle, behind = value[:start], value[start:end], value[end:]
    match change.kind:
        case "flip":
            flipped = bytes(byte ^ change.what[0] for byte in value[start : start + 1])
            return before + flipped + value[start + 1 :]
        case "cut":
            return before + behind
        case "put":
            return before + change.what + value[start:]
        case "replace":
            return before + change.what + behind
        case "repeat":
            return before + middle + middle + behind
        case _:
            return middle + before + behind


def _relabelled(headers: list[Header], change: Change) -> list[Header]:
    if not headers:
        return headers
    one, other = (int(share * len(headers)) for share in (change.where, change.which))
    name, value = headers[one]
    match change.kind:
        case "drop header":
            headers.pop(one)
        case "double header":
            headers.append(headers[one])
        case "spoil header":
            spoilt = change.what if change.which < 0.5 else (value or b"") + change.what
            headers[one] = name, spoilt
        case "rename header":
            headers[one] = headers[other][0], value
        case _:
            headers[one], headers[other] = (name, headers[other][1]), (headers[other][0], value)
    return headers


def drawn(strategy: "st.SearchStrategy[Any]", count: int, of: int) -> list[Any]:
    """So many examples."""
    found: list[Any] = []

    @seed(of)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def draw(example: Any) -> None:
        found.append(example)

    draw()
    return found


def more(random: Random) -> Iterator[Case]:
    number = 0
    while True:
        for changes in drawn(CHANGES, _DRAWN_AT_ONCE, random.getrandbits(32)):
            number += 1
            what = ", ".join(change.kind for change in changes)
            yield Case(f"{number}: {what}", mutated(changes))


MUTATIONS = Family("bytes by chance", 5_000, [], more, abreast=60, apart=20)
