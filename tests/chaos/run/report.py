"""What a run says of itself: the figures, whether they are enough, and what is wrong."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from typing import Any

from tests.chaos.checker.ends import ends_told
from tests.chaos.checker.findings import Finding
from tests.chaos.checker.history import Call, History
from tests.chaos.checker.kinds import ERASES, SHUTS
from tests.chaos.checker.leaks import slope
from tests.chaos.checker.linearizing import NEVER
from tests.chaos.checker.looking import is_known
from tests.chaos.run import commits, crashes, jumps, nodes
from tests.chaos.run.members import End
from tests.chaos.run.menu import KILLS_AND_STOPS, LANES
from tests.chaos.run.runs import Plan, Run
from tests.chaos.run.wire import IN_A_TRANSACTION

_HOUR = 3600.0
# While one of three brokers is gone less comes by that can be broken.
_SLOWER_WITH_NODES = 2
# How many seconds one of a group may take.
_GROUPS = {
    "kills and stops": (KILLS_AND_STOPS, 12.0),
    "on the wire in a transaction": (IN_A_TRANSACTION, 12.0),
    "partitions of the network": (nodes.PARTITIONS, 30.0),
    "unknown commits": (commits.UNKNOWN, 60.0),
    "kills at a point": (crashes.MENU, 30.0),
    "jumps of a clock": (jumps.MENU, 40.0),
}
_LIVES = "lines through a long life"
_SHARE_OF_DUPLICATES = 0.05
_SENT_TWICE = ("sent twice at once", "sent again after the answer")
# Memory and open files of two services.
_LINES_OF_A_SOAK = 4
_SECONDS_A_REFUSAL, _SECONDS_AN_END, _SECONDS_A_RETURN = 10.0, 10.0, 40.0


def least(run: Run) -> dict[str, int]:
    """The fewest of each that make a run count; less is void, not green."""
    commands, seconds, each = len(run.history.calls), run.plan.seconds, dict[str, int]()
    faults, of_faults = 0, seconds / (_SLOWER_WITH_NODES if _has_nodes(run) else 1)
    for lane in LANES:
        menu = lane.chosen(run.plan.menu)
        count = int(of_faults / lane.seconds) if menu else 0
        faults += count
        # In a short run not each of a long menu has its turn.
        each |= {name: max(count // (2 * len(menu)), int(count >= len(menu))) for name in menu}
    return {
        "commands": int(seconds),
        "duplicate sends": int(commands * _SHARE_OF_DUPLICATES),
        "replayed": commands,
        "tokens taken": int(seconds),
        "tokens refused whose end was known": int(seconds / _SECONDS_A_REFUSAL),
        "accounts shut or erased": int(seconds / _SECONDS_AN_END),
        "erased and registered again": int(seconds / _SECONDS_A_RETURN),
        "faults": faults,
        **{name: int(of_faults / _GROUPS[name][1]) for name in _groups(run)},
        **({_LIVES: _LINES_OF_A_SOAK} if run.plan.profile == "soak" else {}),
        **each,
    }


def _has_nodes(run: Run) -> bool:
    return bool({*nodes.MENU} & {*run.plan.menu})


def happened(run: Run) -> dict[str, int]:
    """How many of each there were."""
    faults = Counter(each.name for each in run.struck)
    return {
        "commands": len(run.history.calls),
        "duplicate sends": sum(run.counts[each] for each in _SENT_TWICE),
        "replayed": run.replayed["selected"],
        "tokens taken": sum(look.taken for look in run.history.looks),
        "tokens refused whose end was known": _refused(run.history),
        "accounts shut or erased": len(_done(run.history, SHUTS | ERASES)),
        "erased and registered again": _returned(run.history),
        "faults": len(run.struck),
        **{group: sum(faults[name] for name in names) for group, names in _groups(run).items()},
        **({_LIVES: len(run.history.samples)} if run.plan.profile == "soak" else {}),
        **{name: faults[name] for name in run.plan.menu},
    }


def _refused(history: History) -> int:
    told = ends_told(history)
    return sum(look.revoked and is_known(look, told) for look in history.looks)


def _done(history: History, kinds: AbstractSet[str]) -> list[Call]:
    return [call for call in history.calls if call.ended == "ok" and call.kind in kinds]


def _returned(history: History) -> int:
    """How many were registered whose address had been another's, who was erased by then."""
    erased = dict[str, float]()
    for call in _done(history, ERASES):
        if call.returned is not None:
            erased[call.subject] = min(call.returned, erased.get(call.subject, NEVER))
    registered = _done(history, {"RegisterUser"})
    return sum(call.invoked > erased.get(call.subject, NEVER) for call in registered)


def _groups(run: Run) -> dict[str, tuple[str, ...]]:
    """The groups of faults that were on this run's menu."""
    there = {*run.plan.menu}
    of = {
        group: tuple(each for each in names if each in there)
        for group, (names, _) in _GROUPS.items()
    }
    return {group: names for group, names in of.items() if names}


def too_few(run: Run) -> list[str]:
    """What there was less of than makes a run count."""
    there = happened(run)
    return [f"{name}: {there[name]} of {n}" for name, n in least(run).items() if there[name] < n]


def recoveries(run: Run) -> dict[str, list[float]]:
    """Seconds from each heal to the first answer to a command that was sent after it."""
    found = defaultdict[str, list[float]](list)
    for each in run.struck:
        answered = [
            call.returned - each.healed
            for call in run.history.calls
            if call.returned is not None and call.invoked >= each.healed
        ]
        found[each.name] += [min(answered)] if answered else []
    return dict(found)


def log_ins(run: Run) -> list[dict[str, float]]:
    """Each log-in that began a session: when it was answered, and after how long."""
    answered = [
        (call.returned, call.returned - call.invoked)
        for call in run.history.calls
        if call.kind == "LogIn" and call.ended == "ok" and call.returned is not None
    ]
    return [{"at": _since(run, at), "took": round(took, 3)} for at, took in sorted(answered)]


def report(run: Run, findings: list[Finding]) -> dict[str, Any]:
    """The figures as plain data."""
    ended = Counter(call.ended for call in run.history.calls)
    told = {
        "seed": run.plan.seed,
        "seconds": run.plan.seconds,
        "again": _again(run.plan),
        "violations": [str(each) for each in findings],
        "happened": happened(run),
        "least": least(run),
        "too few": too_few(run),
        "outcomes": {name: ended[name] for name in ("ok", "refused", "unknown")},
        "sends": dict(sorted(run.counts.items())),
        "replay": dict(sorted(run.replayed.items())),
        "unanswered after the heal": run.unanswered,
        "seconds to each pending answer": sorted(round(each, 2) for each in run.waits),
        "seconds until no transaction was open": round(run.history.settled, 2),
        "recoveries": {name: _figures(each) for name, each in recoveries(run).items() if each},
        "faults": [
            {"name": each.name, "at": _since(run, each.began), "healed": _since(run, each.healed)}
            for each in run.struck
        ],
        "services that ended by themselves": [_end(each) for each in run.ended_alone],
        "log-ins": log_ins(run),
        "looks at offsets that failed": run.looks_missed,
        "records": _records(run),
        "held at rest": {each.name: round(each.amount, 1) for each in run.history.held},
        "held over time": {
            each.name: [[_since(run, at), round(amount, 1)] for at, amount in each.points[::15]]
            for each in run.history.samples
        },
        "growth an hour": {
            each.name: round(slope(each.points) * _HOUR, 1) for each in run.history.samples
        },
    }
    return {"verdict": verdict(told), **told}


def verdict(told: Mapping[str, Any]) -> str:
    """One word for what a report says."""
    crashed = [each for each in told["services that ended by themselves"] if not each["expected"]]
    unanswered, unknown = told["unanswered after the heal"], told["outcomes"]["unknown"]
    if told["violations"] or unanswered or unknown or crashed:
        return "broken"
    return "void" if told["too few"] else "green"


def _again(plan: Plan) -> str:
    profile = "" if plan.profile == "small" else f" PROFILE={plan.profile}"
    return f"make chaos SEED={plan.seed} SECONDS={plan.seconds:.0f}{profile}"


def _end(end: End) -> dict[str, Any]:
    return {**asdict(end), "expected": end.is_an_outage}


def _figures(times: list[float]) -> dict[str, float]:
    return {
        "times": len(times),
        "median": round(statistics.median(times), 2),
        "longest": round(max(times), 2),
    }


def _since(run: Run, at: float) -> float:
    return round(at - run.began, 2)


def _records(run: Run) -> dict[str, int]:
    history = run.history
    return {
        "commands": len(history.log),
        "answers": len(history.answers),
        "said": len(history.committed),
        "said, aborted ones too": len(history.uncommitted),
        "written": len(history.written),
        "inbox": len(history.inbox),
        "looks at offsets": len(history.offsets),
    }
