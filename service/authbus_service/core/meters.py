"""Plain numbers that Prometheus reads at a scrape.

They are changed by the event loop alone, so a count is one addition to a dict: no lock, a fifth of
a microsecond, where a command has a few hundred of them to spend.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Values = tuple[str, ...]


@dataclass(slots=True, eq=False)
class Count:
    """Something that happens, by its labels."""

    name: str
    what: str
    labels: Sequence[str] = ()
    values: dict[Values, float] = field(default_factory=dict[Values, float])

    def add(self, *values: str) -> None:
        """It happened once."""
        self.values[values] = self.values.get(values, 0) + 1

    def begin(self, *values: str) -> None:
        """Be there from the start: of a series that begins at one, Prometheus sees no increase."""
        self.values.setdefault(values, 0)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """For the registry."""
        family = CounterMetricFamily(self.name, self.what, labels=self.labels)
        for values, count in self.values.items():
            family.add_metric(values, count)
        yield family


class Buckets:
    """How often a value was at most each of some bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Nothing was seen yet; beyond the last bound there is one more bucket."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def see(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True, eq=False)
class Spread:
    """A histogram by one label. Its values are all named at the start, so that none is missed."""

    name: str
    what: str
    label: str
    bounds: Sequence[float]
    of: dict[str, Buckets] = field(init=False, default_factory=dict[str, Buckets])

    def begin(self, *values: str) -> None:
        """These are the values of the label."""
        self.of |= {value: Buckets(self.bounds) for value in values}

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """For the registry."""
        family = HistogramMetricFamily(self.name, self.what, labels=[self.label])
        bounds = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        for value, buckets in self.of.items():
            counts = accumulate(buckets.counts)
            family.add_metric(
                [value], list(zip(bounds, counts, strict=True)), sum_value=buckets.total
            )
        yield family


@dataclass(slots=True, eq=False)
class Reading:
    """Something that is read where it is known, at each scrape: a gauge, or a counter."""

    name: str
    what: str
    labels: Sequence[str] = ()
    counts: bool = False
    reads: dict[Values, Callable[[], float]] = field(
        default_factory=dict[Values, Callable[[], float]]
    )

    def bind(self, read: Callable[[], float], *values: str) -> None:
        """From now on it is read there."""
        self.reads[values] = read

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """For the registry."""
        make = CounterMetricFamily if self.counts else GaugeMetricFamily
        family = make(self.name, self.what, labels=self.labels)
        for values, read in self.reads.items():
            family.add_metric(values, read())
        yield family
