"""What benchmarks found, as ratios of pairs that one run measured side by side.

A pair is two benchmarks whose names differ in one part: `ours` in one, in the other one
of BASELINES, as in `pipeline/http1/server_cpu/ours` and `pipeline/http1/server_cpu/bare`.
Times of different runs, or machines, are never compared.
"""

import json
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "ours"
# The least that the work can take, the usual way to do it, and what else ours is held against.
BASELINES = ("floor", "bare", "raw", "ordinary", "stub", "fewer", "bound")

# What Google Benchmark appends to names.
_SETTING = re.compile(r"(real_time|process_time|manual_time|(iterations|repeats|min_time|"
                      r"min_warmup_time|threads):.*)$")
# More of other people's work, and wall times say nothing.
MOST_OTHERS_CPUS = 0.25
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Figure:
    """One benchmark of one run: the median, where it was repeated."""

    name: str
    # A time, or another cost, of the same work for both of a pair.
    time: float
    unit: str
    # Work per second, where the benchmark says it.
    items_per_second: float | None
    bytes_per_second: float | None
    # Everything that the benchmark says.
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """Ours and a baseline of the same run."""

    name: str
    against: str
    ours: Figure
    baseline: Figure

    @property
    def speed(self) -> float:
        """How many times as fast ours is: by items per second, else by bytes, else by time."""
        for of in ("items_per_second", "bytes_per_second"):
            ours, baseline = getattr(self.ours, of), getattr(self.baseline, of)
            if ours and baseline:
                return float(ours / baseline)
        return _cost(self.baseline) / _cost(self.ours)

    @property
    def cost(self) -> float:
        """How many times as much ours takes."""
        return 1 / self.speed


def _cost(figure: Figure) -> float:
    return figure.time * _SECONDS.get(figure.unit, 1.0)


class Unreadable(Exception):
    """A file holds no results, or a benchmark in it failed."""


@dataclass(frozen=True)
class Results:
    """What the benchmarks of some files found."""

    figures: Mapping[str, Figure]
    context: Mapping[str, Any]

    @property
    def busy(self) -> str:
        """Whose work was beside ours; empty where it was little, or nobody looked."""
        others = float(self.context.get("others_cpus", 0))
        if others <= MOST_OTHERS_CPUS:
            return ""
        return f"others used {others:.1f} CPUs: ratios of wall times are not judged"

    def pairs(self) -> list[Pair]:
        """In the order in which they were measured."""
        found = []
        for figure in self.figures.values():
            parts = figure.name.split("/")
            if OURS not in parts:
                continue
            place = parts.index(OURS)
            name = "/".join(parts[:place] + parts[place + 1 :])
            for against in BASELINES:
                other = "/".join([*parts[:place], against, *parts[place + 1 :]])
                if other in self.figures:
                    found.append(Pair(name, against, figure, self.figures[other]))
        return found


def read(files: Iterable[Path]) -> Results:
    """Reads what Google Benchmark wrote, one file per program."""
    figures: dict[str, Figure] = {}
    context: Mapping[str, Any] = {}
    for file in files:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            benchmarks, of_file = content["benchmarks"], content["context"]
        except (OSError, ValueError, KeyError) as error:
            raise Unreadable(f"{file.name}: {error}") from error
        # Of several files the last run's date, and the most work of others.
        most = max((of.get("others_cpus", 0) for of in (context, of_file)), default=0)
        last = max((context, of_file), key=lambda of: str(of.get("date", "")))
        context = {**last, "others_cpus": most}
        for name, entries in _by_name(benchmarks).items():
            figures[name] = _figure(name, entries)
    return Results(figures, context)


def _by_name(benchmarks: Iterable[Mapping[str, Any]]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for entry in benchmarks:
        parts = str(entry.get("run_name", entry["name"])).split("/")
        name = "/".join(part for part in parts if not _SETTING.match(part))
        if entry.get("error_occurred"):
            raise Unreadable(f"{name}: {entry.get('error_message', 'it failed')}")
        by_name.setdefault(name, []).append(entry)
    return by_name


def _figure(name: str, entries: Sequence[Mapping[str, Any]]) -> Figure:
    medians = [entry for entry in entries if entry.get("aggregate_name") == "median"]
    runs = medians or [entry for entry in entries if entry.get("run_type") != "aggregate"]
    if not runs:
        raise Unreadable(f"{name}: neither a median nor a run")

    def median_of(key: str) -> float | None:
        values = [float(run[key]) for run in runs if key in run]
        return statistics.median(values) if values else None

    time = median_of("real_time")
    if not time or time <= 0:
        raise Unreadable(f"{name}: took no time")
    return Figure(
        name=name,
        time=time,
        # What is no time says so in its label: "unit: MiB".
        unit=str(runs[0].get("label", "")).partition("unit: ")[2]
        or str(runs[0].get("time_unit", "ns")),
        items_per_second=median_of("items_per_second"),
        bytes_per_second=median_of("bytes_per_second"),
        said=runs[0],
    )
