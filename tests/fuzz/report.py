"""What a run says of itself: a line a class, whether it is enough, and what is wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fuzz.case import brief
from tests.fuzz.driving import MIB, STALL, Result

_MOST_TOLD = 20
_SECONDS = ("slowest", "slowest good", "took")
_COLUMNS = ("cases", "least", *_SECONDS, "again", "growth MiB")


def too_few(results: Sequence[Result]) -> list[str]:
    """Classes of which there was less than makes a run count."""
    return [
        f"{each.family.name}: {each.cases} of {each.family.least}"
        for each in results
        if each.cases < each.family.least
    ]


def report(
    results: Sequence[Result], wrong: Sequence[str], *, seed: int, good: float
) -> dict[str, Any]:
    """The figures as plain data. `good` is what good records took beside nothing bad."""
    few = too_few(results)
    void = [f"{each.family.name}: {it}" for each in results for it in each.void]
    is_broken = bool(wrong) or any(each.wrong for each in results)
    return {
        "verdict": "broken" if is_broken else "void" if few or void else "green",
        "seed": seed,
        "slowest good record alone": round(good, 2),
        "classes": {each.family.name: _figures(each) for each in results},
        "too few": few,
        "void": void,
        "wrong": [*wrong, *(f"{each.family.name}: {it}" for each in results for it in each.wrong)],
    }


def _figures(result: Result) -> dict[str, Any]:
    return {
        "cases": result.cases,
        "least": result.family.least,
        "outcomes": dict(result.outcomes.most_common()),
        "slowest": round(result.slowest, 2),
        "slowest good": round(result.slowest_good, 2),
        "again": result.again,
        "growth MiB": result.growth // MIB,
        "took": round(result.seconds, 1),
    }


def line(result: Result) -> str:
    """One class, as soon as it is over."""
    name, wrong = result.family.name, len(result.wrong)
    return f"{result.seconds:6.1f} s  {name}: {result.cases} cases, {wrong} wrong"


def page(told: Mapping[str, Any]) -> str:
    """The same for a person, in Markdown."""
    wrong, good = told["wrong"], told["slowest good record alone"]
    how = (
        "Each case alone and between good records, of its key and of another; none may take more"
        f" than {STALL} s. What is counted under again was sent once more, since the machine itself"
        f" was too slow. The slowest of 300 good records beside nothing bad took {good} s at the"
        " start."
    )
    lines = [
        f"# Bad inputs, seed {told['seed']}: {told['verdict']}",
        how,
        _table(told["classes"]),
        *(f"Too few: {each}." for each in told["too few"]),
        *(f"Void: {each}." for each in told["void"]),
        f"{len(wrong)} wrong.",
        "\n".join(f"- {each}" for each in wrong[:_MOST_TOLD]),
    ]
    return "\n\n".join(lines).rstrip() + "\n"


def _table(classes: Mapping[str, Any]) -> str:
    head = ["class", *(f"{name} s" if name in _SECONDS else name for name in _COLUMNS), "outcomes"]
    rows = [
        [name, *(str(each[column]) for column in _COLUMNS), _outcomes(each["outcomes"])]
        for name, each in classes.items()
    ]
    rule = ["---", *["---:"] * len(_COLUMNS), "---"]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _outcomes(counts: Mapping[str, int]) -> str:
    said = [each.removeprefix("authbus.") for each, n in counts.items() for _ in range(n)]
    return brief(said)
