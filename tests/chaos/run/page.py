"""What a run says of itself, for a person, in Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.run.runs import ANSWERED_SECONDS


def page(told: Mapping[str, Any]) -> str:
    """The figures of a report as a page."""
    outcomes = ", ".join(f"{n} {name}" for name, n in told["outcomes"].items())
    lines = [
        f"# Chaos, seed {told['seed']}: {told['verdict']}",
        f"{told['seconds']:.0f} s. Again: `{told['again']}`",
        "| what | happened | least |\n| --- | ---: | ---: |",
        *(f"| {name} | {n} | {told['least'][name]} |" for name, n in told["happened"].items()),
        f"Outcomes: {outcomes}.",
        _pending(told),
        f"All was replayed then: {counts_line(told['replay'])}.",
        "| after | times | median s | longest s |\n| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {each['times']} | {each['median']} | {each['longest']} |"
            for name, each in told["recoveries"].items()
        ),
        f"Held at rest: {_held(told['held at rest'])}.",
        f"Growth an hour: {_held(told['growth an hour']) or 'no process lived long enough'}.",
        *(f"- {each}" for each in _ends(told)),
        f"{len(told['violations'])} violations.",
        *(f"- {each}" for each in told["violations"]),
    ]
    return "\n\n".join(lines).replace("|\n\n|", "|\n|") + "\n"


def _ends(told: Mapping[str, Any]) -> Iterator[str]:
    """The services that ended by themselves, each with its last words."""
    for each in told["services that ended by themselves"]:
        judged = "could not start" if each["expected"] else "ended as nobody told it to"
        yield f"A service {judged}, status {each['status']}: {each['words']}"


def _pending(told: Mapping[str, Any]) -> str:
    pending, never = told["sends"].get("pending at the heal", 0), told["unanswered after the heal"]
    last = max(told["seconds to each pending answer"], default=0.0)
    return (
        f"{pending} commands were pending when all had healed; the last was answered after {last} s"
        f" (at most {ANSWERED_SECONDS:.0f} s), {len(never)} never."
    )


def counts_line(of: Mapping[str, int]) -> str:
    """What there was of each, but for what there was not."""
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in of.items() if n)


def _held(of: Mapping[str, float]) -> str:
    return ", ".join(f"{n:g} {name}" for name, n in of.items())
