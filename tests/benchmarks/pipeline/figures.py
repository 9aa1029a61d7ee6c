"""Figures in the format that Google Benchmark writes."""

import datetime
import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path


class Figures:
    """Collects medians, prints each as it comes and writes them all at the end."""

    def __init__(self) -> None:
        self._benchmarks: list[dict[str, object]] = []

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
        context = {"date": now.isoformat(timespec="seconds"), "num_cpus": os.cpu_count()}
        text = json.dumps({"context": context, "benchmarks": self._benchmarks}, indent=1)
        file.write_text(text + "\n", encoding="utf-8")
