"""`make bench-clients`: one instance of a client and twenty, and thousands of calls at once.

Instances share a reply topic, so each reads the answers of all; what that costs is the caller's
CPU a call. All of them are in this process.
"""

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median

import uvloop

from authbus import AuthClient
from tests.benchmarks.cheap import a_crowd
from tests.benchmarks.load import Cell, closed
from tests.benchmarks.service import Running, a_service, servers

PASSWORD = "correct horse battery"
IN_FLIGHT = 40
MANY = 20


async def measure(
    running: Running, clients: list[AuthClient], tokens: list[str], seconds: float
) -> dict[int, Cell]:
    """A cell with one instance, then one with all."""

    async def cell(some: list[AuthClient]) -> Cell:
        async def ask(turn: int) -> None:
            await some[turn % IN_FLIGHT % len(some)].profile.get(tokens[turn % IN_FLIGHT])

        return await closed(IN_FLIGHT, seconds, ask, running.processes)

    return {len(some): await cell(some) for some in (clients[:1], clients)}


async def at_once(auth: AuthClient, tokens: list[str], calls: int) -> float:
    """Seconds until so many calls that begin together are answered."""
    began = time.perf_counter()
    await asyncio.gather(
        *(auth.profile.get(tokens[turn % IN_FLIGHT], timeout=60) for turn in range(calls))
    )
    return time.perf_counter() - began


async def main(rounds: int, seconds: float, calls: int) -> None:
    async with AsyncExitStack() as rig:
        stack = await rig.enter_async_context(servers())
        running = await rig.enter_async_context(a_service(stack, {}))
        clients = [await rig.enter_async_context(running.another()) for _ in range(MANY)]
        auth = clients[0]
        crowd = await a_crowd(running, IN_FLIGHT, PASSWORD)
        tokens = [each.access_token for each in crowd.sessions]
        await at_once(auth, tokens, 100)
        cells = [await measure(running, clients, tokens, seconds) for _ in range(rounds)]
        took = [await at_once(auth, tokens, calls) for _ in range(rounds)]
    for count in (1, MANY):
        found = [each[count] for each in cells]
        rate, p50 = median(each.rate for each in found), median(each.p50 for each in found)
        p99, cpu = median(each.p99 for each in found), median(each.cpu["caller"] for each in found)
        print(f"| {count} | {rate:.0f}/s | {p50:.0f} ms | {p99:.0f} ms | {cpu:.2f} ms |")
    most = median(took)
    print(f"{calls} calls of one instance at once: {most:.1f} s, {calls / most:.0f}/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--calls", type=int, default=2000)
    asked = parser.parse_args()
    uvloop.run(main(asked.rounds, asked.seconds, asked.calls))
