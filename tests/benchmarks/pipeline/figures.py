"""Figures in the format that Google Benchmark writes."""

import datetime
import json
import os
import resource
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class OthersWork:
    """How many CPUs the rest of the machine uses from now on, as far as it shows."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._before = self._others_seconds()

    def cpus(self) -> float:
        """To be asked when no program runs any more that was started meanwhile."""
        return (self._others_seconds() - self._before) / (time.monotonic() - self._start)

    @staticmethod
    def _others_seconds() -> float:
        with open("/proc/stat", encoding="ascii") as file:
            _, user, nice, system, _idle, _waiting, *interrupts_and_stolen = file.readline().split()
        ticks = sum(map(int, (user, nice, system, *interrupts_and_stolen[:3])))
        own = 0.0
        for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(whose)
            own += usage.ru_utime + usage.ru_stime
        return ticks / os.sysconf("SC_CLK_TCK") - own


class Figures:
    """Collects medians, prints each as it comes and writes them all at the end."""

    def __init__(self) -> None:
        self._benchmarks: list[dict[str, object]] = []
        self._others = OthersWork()

    def add(
        self,
        name: str,
        values: Sequence[float],
        unit: str = "ms",
        counters: Mapping[str, float] | None = None,
    ) -> None:
        """One quantity of some runs: their median, beside it the least and the most."""
        spread = {} if len(values) < 2 else {"least": min(values), "most": max(values)}
        beside = {**spread, **(counters or {})}
        middle = statistics.median(values)
        self._benchmarks.append(
            {
                "name": f"{name}_median",
                "run_name": name,
                "run_type": "aggregate",
                "aggregate_name": "median",
                "repetitions": len(values),
                "iterations": len(values),
                "real_time": middle,
                "cpu_time": middle,
                "time_unit": unit,
                **beside,
            }
        )
        said = "  ".join(f"{key}={value:.5g}" for key, value in beside.items())
        print(f"{name:45} {middle:10.2f} {unit}  {said}", flush=True)

    def write(self, file: Path) -> None:
        now = datetime.datetime.now(datetime.timezone.utc)
        context = {
            "date": now.isoformat(timespec="seconds"),
            "num_cpus": os.cpu_count(),
            "others_cpus": round(self._others.cpus(), 2),
        }
        text = json.dumps({"context": context, "benchmarks": self._benchmarks}, indent=1)
        file.write_text(text + "\n", encoding="utf-8")
