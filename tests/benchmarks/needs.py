"""What log-ins need, by arithmetic, from what was measured."""

import math
from dataclasses import dataclass

from authbus.topics import CREDENTIALS, SESSIONS
from tests.benchmarks.__main__ import COST
from tests.benchmarks.sizing import Cost

# Cores are filled so far and no further.
FILLED = 2 / 3
# A working day: one log-in, a refresh every ten minutes, a log-out.
REFRESHES = 48
EVENTS = REFRESHES + 2
# What is taken for granted of others: three copies on Kafka, each as dear as the one measured; one
# primary of PostgreSQL with so many cores and so fast a disk.
COPIES = 3
PRIMARY_CORES = 32
WAL_MB = 250


@dataclass(frozen=True)
class Processes:
    """The same work for so many processes, at a hash of no cost. CPU in ms a command."""

    count: int
    commands: float
    handling: float
    saying: float
    alone: float
    events: float


@dataclass(frozen=True)
class Need:
    """Cores of service, Kafka and PostgreSQL; processes of a core, each at a hash, in MiB."""

    cores: list[float]
    processes: int
    memory: float
    shards: int
    partitions: int


@dataclass(frozen=True)
class Measured:
    """All that the page is computed from: CPU in ms, bytes, events a second, memory in MiB."""

    processes: list[Processes]
    costs: dict[str, Cost]
    hash: float
    memory: float

    @property
    def day(self) -> Cost:
        """A log-in, its refreshes and its log-out."""
        first = self.costs["log-in"].and_times(REFRESHES, self.costs["refresh"])
        return first.and_times(1, self.costs["log-out"])

    @property
    def total(self) -> float:
        """CPU of a day in ms, of all but the caller."""
        cpu = self.day.cpu
        return cpu["service"] + COPIES * cpu["kafka"] + cpu["postgres"]

    @property
    def loop(self) -> float:
        """Of a day, what only one thread of a process can do: all but the hash."""
        return self.day.cpu["service"] - self.hash

    @property
    def limits(self) -> dict[str, float]:
        """Days begun a second that each single thing bears, filled like the rest."""
        cpu, wal = self.day.cpu, self.day.wal
        partitions = min(CREDENTIALS.partitions, SESSIONS.partitions)
        return {
            f"{partitions} partitions": FILLED * partitions * 1000 / self.loop,
            "one relay": FILLED * min(each.events for each in self.processes) / EVENTS,
            "one primary's cores": FILLED * PRIMARY_CORES * 1000 / cpu["postgres"],
            "one primary's log": FILLED * WAL_MB * 1e6 / wal,
        }

    def need(self, rate: float) -> "Need":
        """What bears so many days begun a second."""
        parts = {"service": 1, "kafka": COPIES, "postgres": 1}
        cores = [rate * self.day.cpu[name] * of / 1000 / FILLED for name, of in parts.items()]
        processes = math.ceil(cores[0])
        single = min(limit for name, limit in self.limits.items() if "partitions" not in name)
        shards = math.ceil(rate / single)
        memory = processes * (self.memory + COST.memory_kib / 1024)
        return Need(cores, processes, memory, shards, math.ceil(processes / shards))
