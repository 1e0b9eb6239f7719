"""What the cells of `make bench` say, line by line."""

from statistics import median
from typing import Any

from tests.benchmarks.accounts import BESIDE, IN_FLIGHT
from tests.benchmarks.cheap import CHEAP
from tests.benchmarks.relaying import A_SECOND, BACKLOG

Found = dict[str, list[dict[str, Any]]]


def figures(found: Found, a_hash: tuple[float, float]) -> dict[str, str]:
    """Medians of the rounds; a hash alone takes so many ms, and so many of them in the kernel."""
    hash_ms, kernel_ms = a_hash

    def of(cell: str, name: str = "rate") -> float:
        return median(each[name] for each in found[cell])

    alone, slow = (of("log_in_alone", each) for each in ("p50", "p99"))
    (said,), (process,) = found["relayed"], found["process"]
    many = f"{IN_FLIGHT} in flight"
    return {
        "argon2-cffi wheel alone, all cores": f"{of('bare'):.0f} verifies/s",
        "a hash alone, CPU": f"{hash_ms:.1f} ms, of it in the kernel {kernel_ms:.1f}",
        f"log-ins, {many}": f"{of('log_in'):.0f}/s = {_ratio(found, 'bare'):.2f} of the above",
        "their p50, p99": f"{of('log_in', 'p50'):.0f}, {of('log_in', 'p99'):.0f} ms",
        "a log-in alone, p50, p99": f"{alone:.1f}, {slow:.1f} ms = {alone - hash_ms:.1f}, "
        f"{slow - hash_ms:.1f} above its hash",
        f"registrations, {many}": f"{of('register'):.0f}/s",
        f"log-outs, {many}": f"{of('log_out'):.0f}/s",
        f"a log-out beside {BESIDE} who log in, p50, p99": _p50_p99(of, "log_out_beside"),
        **{f"{told}, {many}": f"{of(name):.0f}/s" for name, told in CHEAP.items()},
        "tokens checked offline, a second of CPU": f"{of('offline', 'first'):,.0f} for the first "
        f"time = {_offline(found):.2f} of bare signatures, {of('offline', 'again'):,.0f} again",
        f"events of a backlog of {BACKLOG:,}": f"{said['rate']:,.0f}/s",
        f"commit to reader, {A_SECOND} events/s, p50, p99": f"{said['p50']:.0f}, "
        f"{said['p99']:.0f} ms",
        "the service takes commands after": f"{process['started']:.1f} s",
        "its memory at the end": f"{process['mib']:.0f} MiB",
        "CPU a log-in, ms": _spent(found["log_in"], 1),
        "CPU a log-out, ms": _spent(found["log_out"], 2),
        "CPU a refresh, ms": _spent(found["refresh"], 2),
    }


def _ratio(found: Found, limit: str) -> float:
    pairs = zip(found["log_in"], found[limit], strict=True)
    return median(one["rate"] / bare["rate"] for one, bare in pairs)


def _offline(found: Found) -> float:
    return median(each["first"] / each["bare"] for each in found["offline"])


def _p50_p99(of: Any, cell: str) -> str:
    return f"{of(cell, 'p50'):.0f}, {of(cell, 'p99'):.0f} ms"


def _spent(cells: list[dict[str, Any]], digits: int) -> str:
    return ", ".join(f"{name} {ms:.{digits}f}" for name, ms in cells[-1]["cpu"].items())
