"""A reader of ten million rows that stops reading: what the server holds meanwhile."""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from bisect import bisect
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import grpc
from intercom.extractor.v1 import extractor_service_pb2 as service
from plot import draw
from raw_consumer import EXTRACT, LARGEST_MESSAGE

from meter import Meter, Sample
from process import Process, free_port
from programs import ACCESS_TOKEN, FAKE_INTERCOM, INTERCOM_SERVER, ROOT, clean_environment

FOLDER = ROOT / ".build/soak"
LISTENING = "listening on"
TABLE = "users"
# The contract: one stalled reader and ten million rows.
MOST_MIB = 256.0
# What the allocator keeps or gives back between two looks at the same load.
NOISE_MIB = 24.0
# Connections to Intercom come and go with the load.
NOISE_DESCRIPTORS = 16
# What was asked for before the reader stopped still arrives.
SETTLE_SECONDS = 1.0
# While a process warms up, it grows.
WARM_UP_SECONDS = 60.0

FIGURES = ("rss_mib", "peak_mib", "descriptors", "threads")
READS, STALLS, SLOW = "reads", "reads nothing", "reads slowly"


@dataclass(frozen=True)
class Plan:
    """What the reader does."""

    users: int
    stall_seconds: float
    slow_seconds: float
    # How much has been read when it stops: enough to be in the middle of everything.
    share_before: float = 0.4
    # Between two messages while it reads slowly.
    slow_pause_seconds: float = 0.05
    sample_seconds: float = 1.0


@dataclass
class Result:
    """What was seen."""

    plan: Plan
    seconds: float = 0
    rows: int = 0
    # Rows that had come before.
    repeated: int = 0
    rows_summarized: int = 0
    status: str = ""
    samples: list[Sample] = field(default_factory=list)

    def problems(self) -> list[str]:
        """What must not be; empty when all is well."""
        found = []
        if self.status != "COMPLETE":
            found.append(f"the table is {self.status or 'not summarized'}")
        if (self.rows, self.repeated) != (self.plan.users, 0):
            found.append(
                f"{self.rows} rows came, {self.repeated} of them again; there are {self.plan.users}"
            )
        if self.rows_summarized != self.rows:
            found.append(f"the summary says {self.rows_summarized} rows")
        if not {READS, STALLS, SLOW} <= {sample.phase for sample in self.samples}:
            return [*found, "the stream was over before the reader had stopped and gone on"]
        return found + self._broken_bounds()

    def peak_mib(self) -> float:
        return max(sample.peak_mib for sample in self.samples)

    def _broken_bounds(self) -> list[str]:
        found = []
        if self.peak_mib() > MOST_MIB:
            found.append(f"RSS was {self.peak_mib()} MiB, {MOST_MIB} are allowed")
        stalled = self.of_phase(STALLS)
        still = bisect(stalled, stalled[0].seconds + SETTLE_SECONDS, key=lambda s: s.seconds)
        found += _growth(
            "while the reader read nothing",
            stalled[:still],
            stalled[still:],
            {"rss_mib": NOISE_MIB, "descriptors": NOISE_DESCRIPTORS},
        )
        # The peak: looks a second apart do not see how much was needed in between.
        found += _growth(
            "after the first minute",
            *self.early_and_late(),
            {"peak_mib": NOISE_MIB, "descriptors": NOISE_DESCRIPTORS},
        )
        return found

    def of_phase(self, phase: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.phase == phase]

    def early_and_late(self) -> tuple[list[Sample], list[Sample]]:
        """The samples of the first minute and all others, of which a short run has none."""
        early = [sample for sample in self.samples if sample.seconds <= WARM_UP_SECONDS]
        return early, self.samples[len(early) :]

    def figures(self) -> dict[str, object]:
        """For a JSON file."""
        early, late = self.early_and_late()
        return {
            "users": self.plan.users,
            "rows": self.rows,
            "seconds": round(self.seconds, 1),
            "stall_seconds": self.plan.stall_seconds,
            "peak_rss_mib": self.peak_mib(),
            "median_rss_mib_by_phase": {
                phase: median(sample.rss_mib for sample in self.of_phase(phase))
                for phase in (READS, STALLS, SLOW)
                if self.of_phase(phase)
            },
            "first_minute": {name: _most(early, name) for name in FIGURES},
            "afterwards": {name: _most(late, name) for name in FIGURES},
            "problems": self.problems(),
            "samples": [vars(sample) for sample in self.samples],
        }


def _most(samples: Sequence[Sample], name: str) -> float:
    return max((getattr(sample, name) for sample in samples), default=0)


def _growth(
    when: str, before: Sequence[Sample], after: Sequence[Sample], noise: Mapping[str, float]
) -> list[str]:
    """What of the names in `noise` grew by more than that."""
    return [
        f"{when} {name} went from {_most(before, name)} to {_most(after, name)}, "
        f"{allowed} more are noise"
        for name, allowed in noise.items()
        if _most(after, name) > _most(before, name) + allowed
    ]


class Reader:
    """Counts rows, and knows each that comes again."""

    def __init__(self, plan: Plan, result: Result, meter: Meter) -> None:
        self._plan = plan
        self._result = result
        self._meter = meter
        self._first: int | None = None
        # By the record's number.
        self._seen = bytearray(1 << (plan.users + 1).bit_length())

    async def read(self, channel: grpc.aio.Channel) -> None:
        extract = channel.unary_stream(
            EXTRACT,
            request_serializer=service.ExtractRequest.SerializeToString,
            response_deserializer=service.ExtractResponse.FromString,
        )
        call = extract(service.ExtractRequest(tables=[TABLE]))
        self._meter.phase = READS
        stop_at = int(self._plan.share_before * self._plan.users)
        slow_until: float | None = None
        async for event in call:
            self._on_event(event)
            if slow_until is None and self._result.rows >= stop_at:
                self._meter.phase = STALLS
                await asyncio.sleep(self._plan.stall_seconds)
                self._meter.phase = SLOW
                slow_until = time.monotonic() + self._plan.slow_seconds
            if self._meter.phase == SLOW:
                await asyncio.sleep(self._plan.slow_pause_seconds)
                if slow_until is not None and time.monotonic() > slow_until:
                    self._meter.phase = READS

    def _on_event(self, event: service.ExtractResponse) -> None:
        kind = event.WhichOneof("event")
        if kind == "row_batch":
            for row in event.row_batch.users:
                self._on_id(row.id)
            self._result.rows += len(event.row_batch.users)
            self._meter.rows = self._result.rows
        elif kind == "summary":
            (table,) = event.summary.tables
            self._result.rows_summarized = table.rows
            self._result.status = service.TableStatus.Name(table.status).removeprefix(
                "TABLE_STATUS_"
            )

    def _on_id(self, record_id: str) -> None:
        # The fake's ids end in the record's number, XOR a constant that a second XOR
        # with any of them takes away.
        number = int(record_id[-8:], 16)
        if self._first is None:
            self._first = number
        place = number ^ self._first
        self._result.repeated += self._seen[place]
        self._seen[place] = 1


@contextlib.asynccontextmanager
async def _running(*processes: Process) -> AsyncIterator[None]:
    try:
        for process in processes:
            await process.start(LISTENING)
        yield
    finally:
        for process in processes:
            await process.kill()


async def measure(plan: Plan, folder: Path) -> Result:
    """Lets one reader read `plan.users` rows as planned; logs are in `folder`."""
    fake_port, server_port = free_port(), free_port()
    fake = Process(
        [
            *(FAKE_INTERCOM, "--port", str(fake_port), "--users", str(plan.users)),
            *("--leads", "0", "--companies", "0", "--conversations", "0"),
            *("--record-cache-mib", "256", "--latency-ms", "5"),
        ],
        folder / "fake.log",
        clean_environment(),
    )
    config = folder / "server.yaml"
    config.write_text(
        "connections:\n"
        "  - name: default\n"
        f"    base_url: http://127.0.0.1:{fake_port}\n"
        "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
    )
    server = Process(
        [INTERCOM_SERVER, "--config", config, "--listen", f"127.0.0.1:{server_port}"],
        folder / "server.log",
        clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
    )
    result = Result(plan)
    async with _running(fake, server):
        meter = Meter(server.pid, plan.sample_seconds)
        looking = asyncio.create_task(meter.run())
        start = time.monotonic()
        # As our own clients: whose connection stands still must not look dead.
        options = (
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.enable_http_proxy", 0),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 30_000),
            ("grpc.http2.max_pings_without_data", 0),
        )
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server_port}", options) as channel:
            await Reader(plan, result, meter).read(channel)
        result.seconds = time.monotonic() - start
        meter.look()
        looking.cancel()
        result.samples = meter.samples
    return result


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak stall", description=__doc__)
    parser.add_argument(
        "--users", type=int, default=10_000_000, help="rows to read; default %(default)s"
    )
    parser.add_argument(
        "--minutes", type=float, default=3, help="how long nothing is read; default %(default)s"
    )
    parser.add_argument(
        "--svg",
        type=Path,
        default=FOLDER / "stall.svg",
        help="where the plot goes; default .build/soak/stall.svg",
    )
    return parser.parse_args()


def main() -> int:
    flags = parse()
    plan = Plan(flags.users, stall_seconds=60 * flags.minutes, slow_seconds=30)
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(plan, Path(folder)))
    figures = result.figures()
    (FOLDER / "stall.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    flags.svg.write_text(
        draw(f"{result.rows:,} rows, one reader", result.samples, MOST_MIB), encoding="utf-8"
    )
    for problem in result.problems():
        print(f"FAILED: {problem}")
    print(
        f"{result.rows} rows in {result.seconds:.0f} s, in {plan.stall_seconds:.0f} s of which "
        f"nothing was read: RSS at most {result.peak_mib()} MiB, "
        f"{len(result.problems())} problems; "
        f"figures: .build/soak/stall.json"
    )
    return 1 if result.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
