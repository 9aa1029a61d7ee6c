"""Each language's client beside a bare loop over its stub, in the format of Google Benchmark.

Runs clients/*/benchmarks/run, which prints per way of reading rows/s and CPU seconds per
million rows; each measures the ways in turns, in one run. Figures:

    clients/LANGUAGE/WAY/ours, .../stub     a way of reading, and the bare loop

A language whose toolchain is missing is left out, and said. Figures are written as those of
tests/benchmarks/pipeline, whose folder has to be in PYTHONPATH.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from figures import Figures

ROOT = Path(__file__).resolve().parents[3]
BARE = "bare stub"
NO_TOOLCHAIN = 77


def languages() -> list[str]:
    return sorted(run.parts[-3] for run in ROOT.glob("clients/*/benchmarks/run"))


def measure(language: str, figures: Figures) -> bool:
    run = subprocess.run(
        [ROOT / "clients" / language / "benchmarks/run"], stdout=subprocess.PIPE, check=False
    )
    if run.returncode == NO_TOOLCHAIN:
        print(f"left out: {language}, its toolchain is missing")
        return True
    if run.returncode != 0:
        print(f"FAILED: {language} ended with {run.returncode}")
        return False
    ways = json.loads(run.stdout)
    bare = ways.pop(BARE)
    for way, said in ways.items():
        name = f"clients/{language}/{way.replace(', ', ' ').replace(' ', '_')}"
        for who, figure in (("ours", said), ("stub", bare)):
            figures.add(
                f"{name}/{who}",
                [1e9 / figure["rows_per_second"]],
                unit="ns",
                counters={
                    "items_per_second": figure["rows_per_second"],
                    "cpu_s_per_million_rows": figure["cpu_seconds_per_million_rows"],
                },
            )
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--benchmark_out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("languages", nargs="*", help="only these")
    flags = parser.parse_args()
    figures = Figures()
    done = [measure(language, figures) for language in flags.languages or languages()]
    if flags.benchmark_out:
        figures.write(flags.benchmark_out)
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
