"""What a block of the mixed load showed, and whether that is as it must be."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from meter import Sample

# While a process warms up, it grows: this share of a block, at most so long.
WARM_UP_SHARE, WARM_UP_SECONDS = 0.2, 600.0
# Medians of so many equal pieces after that are what the line is laid through.
PIECES = 20
# How much the line may rise from the end of the warm-up to the end of the block.
MOST_RISE = {"rss_mib": 24.0, "descriptors": 16.0, "threads": 4.0}
TENTHS = 10
# p99 of the first rows' latency in the last third after the warm-up by that in the first.
MOST_LATENCY_FACTOR = 2.0


@dataclass(frozen=True)
class Counts:
    """What the long-lived server has counted since its start."""

    rows: int = 0
    requests: int = 0
    retries: int = 0
    streams: int = 0
    running: int = 0
    # Of the whole machine: what else went on.
    load: float = 0


@dataclass(frozen=True)
class FirstRow:
    """One stream's."""

    # When the stream was opened, in seconds since the block began.
    at: float
    seconds: float


@dataclass
class Block:
    """All that was seen."""

    seed: int
    seconds: float = 0
    samples: list[Sample] = field(default_factory=list)
    # One for each sample.
    counts: list[Counts] = field(default_factory=list)
    first_rows: list[FirstRow] = field(default_factory=list)
    # These had to wait for it, and are none of the above.
    streams_without_intercom: int = 0
    # By kind of client: those that have each row once.
    complete: dict[str, int] = field(default_factory=dict)
    rows_compared: int = 0
    rows_lost: int = 0
    rows_extra: int = 0
    # By what was killed or broken.
    disturbances: dict[str, int] = field(default_factory=dict)
    # Everything that a program said or did wrong.
    wrong: list[str] = field(default_factory=list)

    @property
    def warm_up_seconds(self) -> float:
        return min(WARM_UP_SHARE * self.seconds, WARM_UP_SECONDS)

    def problems(self) -> list[str]:
        """What must not be; empty when all is well."""
        found = list(self.wrong)
        if self.rows_lost or self.rows_extra:
            found.append(f"{self.rows_lost} rows were lost, {self.rows_extra} are too many")
        if not self.complete:
            found.append("no extraction was compared")
        for name, most in MOST_RISE.items():
            rise = self.rise(name)
            if rise > most:
                found.append(
                    f"{name} of the long-lived server rose by {rise:.1f} after the warm-up, "
                    f"{most:g} are noise"
                )
        factor = self.latency_factor()
        if factor > MOST_LATENCY_FACTOR:
            found.append(
                f"p99 of the first rows' latency at the end is {factor:.2f} times that at the "
                f"beginning, {MOST_LATENCY_FACTOR:g} are noise"
            )
        return found

    def line(self, name: str) -> tuple[float, float]:
        """Of a figure of the samples after the warm-up: its level at the end of the warm-up,
        and the slope per second.

        Theil and Sen's: the median of the slopes between all pairs of pieces, which a few
        extractions that need much at once do not move.
        """
        points = _pieces(self.samples, name, self.warm_up_seconds, self.seconds)
        if len(points) < 2:
            return (points[0][1] if points else 0.0), 0.0
        slope = median(
            (late - early) / (at_late - at_early)
            for (at_early, early), (at_late, late) in itertools.combinations(points, 2)
        )
        level = median(value - slope * (at - self.warm_up_seconds) for at, value in points)
        return level, slope

    def rise(self, name: str) -> float:
        """How much the line rises by the end of the block."""
        return self.line(name)[1] * (self.seconds - self.warm_up_seconds)

    def latency_factor(self) -> float:
        """1 while there are too few streams to tell."""
        length = (self.seconds - self.warm_up_seconds) / 3
        early = self._latencies(self.warm_up_seconds, self.warm_up_seconds + length)
        late = self._latencies(self.seconds - length, self.seconds)
        # Below a hundred, p99 is the one that took longest.
        if min(len(early), len(late)) < 100:
            return 1.0
        return quantile(late, 0.99) / quantile(early, 0.99)

    def _latencies(self, start: float, end: float) -> list[float]:
        return [first.seconds for first in self.first_rows if start <= first.at < end]

    def tenths(self) -> list[dict[str, float]]:
        """Streams, and p50 and p99 of their first rows' latency, by tenth of the block."""
        length = self.seconds / TENTHS
        found = []
        for tenth in range(TENTHS):
            start, end = tenth * length, (tenth + 1) * length
            latencies = self._latencies(start, end)
            loads = [
                counts.load
                for sample, counts in zip(self.samples, self.counts, strict=True)
                if start <= sample.seconds < end
            ]
            found.append(
                {
                    "streams": len(latencies),
                    "p50_ms": round(1000 * quantile(latencies, 0.5), 1),
                    "p99_ms": round(1000 * quantile(latencies, 0.99), 1),
                    "load": round(median(loads), 1) if loads else 0.0,
                }
            )
        return found

    def figures(self) -> dict[str, object]:
        """For a JSON file."""
        last = self.counts[-1] if self.counts else Counts()
        hours = (self.seconds - self.warm_up_seconds) / 3600
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "warm_up_seconds": round(self.warm_up_seconds, 1),
            "extractions_compared": sum(self.complete.values()),
            "extractions_by_client": dict(sorted(self.complete.items())),
            "rows_compared": self.rows_compared,
            "rows_lost": self.rows_lost,
            "rows_extra": self.rows_extra,
            "disturbances": dict(sorted(self.disturbances.items())),
            "long_lived_server": {
                **{
                    name: getattr(last, name) for name in ("rows", "requests", "retries", "streams")
                },
                "peak_rss_mib": max((sample.peak_mib for sample in self.samples), default=0),
                **{
                    name: {
                        "level": round(self.line(name)[0], 1),
                        "rise": round(self.rise(name), 2),
                        "per_hour": round(self.rise(name) / hours, 2) if hours else 0,
                        "most_rise": most,
                    }
                    for name, most in MOST_RISE.items()
                },
            },
            "first_row": {
                "streams": len(self.first_rows),
                "without_intercom": self.streams_without_intercom,
                "last_by_first_third_p99": round(self.latency_factor(), 2),
                "most": MOST_LATENCY_FACTOR,
                "tenths": self.tenths(),
            },
            "problems": self.problems(),
        }


def _pieces(
    samples: Sequence[Sample], name: str, start: float, end: float
) -> list[tuple[float, float]]:
    """The middle of each piece of the time, and the median of the figure in it."""
    length = (end - start) / PIECES
    if length <= 0:
        return []

    def place(sample: Sample) -> int:
        return int((sample.seconds - start) / length)

    late = [sample for sample in samples if start <= sample.seconds <= end]
    return [
        (start + (piece + 0.5) * length, median(getattr(sample, name) for sample in group))
        for piece, group in itertools.groupby(late, key=place)
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
