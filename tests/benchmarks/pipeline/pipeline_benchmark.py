"""Whole extractions of contacts beside a bare download of the same pages.

Ours: the server's program and a reader of its stream, which takes bytes, makes typed
messages of them, or is the command line that writes eight CSV files. Bare: one thread
with curl multi and simdjson On-Demand, which takes each record's text, reads nothing
inside and keeps nothing. Both ask the same questions over as many connections; what
answers is a process of its own and nearly free. Runs of both take turns; figures are
medians. Each run's rows are counted.

    pipeline/TRANSPORT/server_cpu    CPU of the server by that of the bare download
    pipeline/TRANSPORT/wall_bytes    wall time until a reader has all bytes, by its wall time
    pipeline/TRANSPORT/wall_typed    the same, a reader that makes messages
    pipeline/TRANSPORT/wall_csv      the same, the command line from its start to its end
    pipeline/CONTACTS/...            other numbers of contacts
    pipeline/flat/...                per contact by what it is with fewer contacts
    pipeline/first_contact_row       from the call to a row of a contact at the reader, and
                                     its bound: three times an answer's latency and 20 ms
    pipeline/arrival_to_reader_...   from the arrival of a batch's oldest answer to the
                                     reader, while answers take 50 ms
    pipeline/filling_to_reader_...   of batches that were full: from the arrival of the
                                     answer that filled one
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import programs
from figures import Figures
from measuring import Arrangement, Cost, Transport, arranged

PLAIN = Transport("http1")
TRANSPORTS = (
    Transport("tls", tls=True),
    Transport("http2", http2=True),
    Transport("gzip", gzip=True),
)
# In flight of the bare download, about as over HTTP/1.1: here connections do not tell.
HTTP2_REQUESTS = 20
LATENCY_MS = 50
# Of a batch that does not wait for more rows, and of one that does.
SOON_SECONDS, AGE_LIMIT_SECONDS = 0.05, 0.2
# Three answers come before the first row: the workspace, the count, the first page.
FIRST_ROW_SECONDS = 3 * LATENCY_MS / 1000 + 0.02

PARTS = ("headline", "transports", "scale", "latencies")

Runs = dict[str, list[Cost]]


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    contacts: int
    repetitions: int
    other_repetitions: int
    # Numbers of contacts whose costs per contact are held against those of the first.
    scale: Sequence[int]


FULL = Sizes(120_000, repetitions=7, other_repetitions=3, scale=(100_000, 10_000, 1_000_000))
# With BENCHMARK_LARGE in the environment: some minutes more, and 28 GB through the loopback.
LARGE = replace(FULL, scale=(*FULL.scale, 10_000_000))
# Enough for windows.
BRIEF = Sizes(4_500, repetitions=1, other_repetitions=1, scale=(4_500, 9_000))


def wall(cost: Cost) -> float:
    return cost.wall_seconds


def cpu(cost: Cost) -> float:
    return cost.cpu_seconds


def take_turns(ways: Mapping[str, Callable[[], Cost]], repetitions: int) -> Runs:
    """Each way so often, none before the others had their turn."""
    runs: Runs = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, run in ways.items():
            runs[name].append(run())
    return runs


def counters(costs: Sequence[Cost], arrangement: Arrangement) -> dict[str, float]:
    """What stands beside a time: what the processes used, by contact and by row."""
    server = median(cost.cpu_seconds for cost in costs)
    return {
        "contacts": arrangement.contacts,
        "rows": arrangement.rows,
        "requests": arrangement.requests,
        "connections": arrangement.connections,
        "cpu_us_per_contact": 1e6 * server / arrangement.contacts,
        "cpu_ns_per_row": 1e9 * server / arrangement.rows,
        "reader_cpu_ms": 1e3 * median(cost.reader_cpu_seconds for cost in costs),
        "answering_cpu_ms": 1e3 * median(cost.answering_cpu_seconds for cost in costs),
        "peak_rss_mib": max(cost.peak_rss_kib for cost in costs) / 1024,
    }


class Pipeline:
    """Measures what it is told to and adds the figures."""

    def __init__(self, figures: Figures, folder: Path, sizes: Sizes) -> None:
        self._figures = figures
        self._folder = folder
        self._sizes = sizes

    def headline(self) -> None:
        """The ways of reading, over plain HTTP/1.1."""
        with arranged(self._folder, self._sizes.contacts, PLAIN) as arrangement:
            arrangement.learn_requests()
            ways = {
                "bare": arrangement.bare,
                "bytes": lambda: arrangement.streamed(typed=False),
                "typed": lambda: arrangement.streamed(typed=True),
                "csv": arrangement.into_files,
            }
            runs = take_turns(ways, self._sizes.repetitions)
        self._add_pair("http1/server_cpu", runs, "bytes", cpu, arrangement)
        for way in ("bytes", "typed", "csv"):
            self._add_pair(f"http1/wall_{way}", runs, way, wall, arrangement)

    def transport(self, transport: Transport) -> None:
        """The reader of bytes."""
        with arranged(self._folder, self._sizes.contacts, transport) as arrangement:
            arrangement.learn_requests()
            if transport.http2:
                arrangement.connections = HTTP2_REQUESTS
            runs = take_turns(
                {"bare": arrangement.bare, "bytes": lambda: arrangement.streamed(typed=False)},
                self._sizes.other_repetitions,
            )
        self._add_pair(f"{transport.name}/server_cpu", runs, "bytes", cpu, arrangement)
        self._add_pair(f"{transport.name}/wall_bytes", runs, "bytes", wall, arrangement)

    def scale(self) -> None:
        """Other numbers of contacts; more than the first cost no more each."""
        first_number, *others = self._sizes.scale
        first = self._scaled(first_number)
        for contacts in others:
            runs = self._scaled(contacts)
            # In fewer, that processes begin and end still shows.
            if contacts < first_number:
                continue
            name = f"pipeline/flat/{contacts}"
            self._figures.add(
                f"{name}/cpu/ours", [1e6 * run.cpu_seconds / contacts for run in runs], "us"
            )
            self._figures.add(
                f"{name}/cpu/fewer", [1e6 * run.cpu_seconds / first_number for run in first], "us"
            )
            for who, costs in (("ours", runs), ("fewer", first)):
                self._figures.add(
                    f"{name}/peak_rss/{who}", [cost.peak_rss_kib / 1024 for cost in costs], "MiB"
                )

    def latencies(self) -> None:
        """How soon rows come while each answer takes its time."""
        contacts = self._sizes.contacts
        with arranged(self._folder, contacts, PLAIN, latency_ms=LATENCY_MS) as arrangement:
            runs = [
                arrangement.streamed(typed=True, delays=True)
                for _ in range(self._sizes.repetitions)
            ]
        for name, said, bound in (
            ("first_contact_row", "first_contact_seconds", FIRST_ROW_SECONDS),
            ("arrival_to_reader_p50", "delay_p50_seconds", SOON_SECONDS),
            ("arrival_to_reader_p99", "delay_p99_seconds", AGE_LIMIT_SECONDS + SOON_SECONDS),
            ("filling_to_reader_p99", "filled_p99_seconds", SOON_SECONDS),
        ):
            self._figures.add(f"pipeline/{name}/ours", [1000 * run.said[said] for run in runs])
            self._figures.add(f"pipeline/{name}/bound", [1000 * bound])

    def _scaled(self, contacts: int) -> Sequence[Cost]:
        with arranged(self._folder, contacts, PLAIN) as arrangement:
            arrangement.learn_requests()
            runs = take_turns(
                {"bare": arrangement.bare, "bytes": lambda: arrangement.streamed(typed=False)},
                self._sizes.other_repetitions if contacts < 1_000_000 else 1,
            )
        self._add_pair(f"{contacts}/server_cpu", runs, "bytes", cpu, arrangement)
        self._add_pair(f"{contacts}/wall_bytes", runs, "bytes", wall, arrangement)
        return runs["bytes"]

    def _add_pair(
        self, name: str, runs: Runs, way: str, quantity: Callable[[Cost], float], of: Arrangement
    ) -> None:
        for who, costs in (("ours", runs[way]), ("bare", runs["bare"])):
            self._figures.add(
                f"pipeline/{name}/{who}",
                [1000 * quantity(cost) for cost in costs],
                counters=counters(costs, of),
            )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pipeline_benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--benchmark_out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured")
    parser.add_argument(
        "--profile",
        type=int,
        metavar="LINES",
        help="instead: so many functions of the server that use most CPU; needs perf",
    )
    # What ./run gives to every benchmark and has no meaning here.
    parser.add_argument("--benchmark_out_format", choices=["json"], help=argparse.SUPPRESS)
    parser.add_argument("--benchmark_min_time", help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(pipeline: Pipeline, parts: Sequence[str], brief: bool) -> None:
    if "headline" in parts:
        pipeline.headline()
    for transport in TRANSPORTS if "transports" in parts else ():
        # ./run test does not install it for the benchmarks alone.
        if brief and transport.http2 and shutil.which(programs.NGHTTPX) is None:
            continue
        pipeline.transport(transport)
    if "scale" in parts:
        pipeline.scale()
    if "latencies" in parts:
        pipeline.latencies()


def main() -> int:
    flags = parse()
    brief = "BENCHMARK_BRIEF" in os.environ
    sizes = BRIEF if brief else LARGE if "BENCHMARK_LARGE" in os.environ else FULL
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        try:
            programs.require_programs()
            if flags.profile:
                with arranged(Path(folder), sizes.contacts, PLAIN) as arrangement:
                    print(arrangement.profile(flags.profile))
                return 0
            measure(Pipeline(figures, Path(folder), sizes), flags.parts, brief)
        except programs.Failure as failure:
            print(f"FAILED: {failure}")
            return 1
    if flags.benchmark_out:
        figures.write(flags.benchmark_out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
