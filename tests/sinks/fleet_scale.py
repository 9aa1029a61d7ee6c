"""What ./run soak scale does: how much a fleet's workers do, and what that takes.

Each setting, so many workers with so many jobs at a time, extracts workspaces that it has not seen
before, under Intercom's usual quota; four for each job that may run. Then what ten thousand
workspaces cost that nothing is done for. The figures of docs/scale.md are medians of the rounds.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet import Fleet, Workspaces, running_workspaces, working
from kafka_topics import TopicsKafka, admin_of, running_topics, topic_ends

from programs import ROOT

SIZES = ("--users=400", "--leads=100", "--companies=80", "--conversations=60", "--latency-ms=20")
# Intercom's usual rate, in short windows: what takes seconds meets it as what takes hours does.
QUOTA = "--quota=166/1s"
WORKSPACES_PER_JOB = 4
MANY = 10_000
MOST_SECONDS = 600.0
MIB = 1 << 20
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figures:
    """Of one setting in one round."""

    workers: int
    jobs: int
    workspaces: int
    rows: int
    requests: int
    seconds: float  # From the first request to the last.
    worker_cpu: float  # Seconds, of all.
    thread_cpu: float  # Of the busiest thread of all: what more cores do not make faster.
    broker_cpu: float
    worker_mib: float  # At its peak, of the largest.
    topic_bytes: int
    positions_bytes: int  # Of these, those of positions, before compaction.
    transactions: int

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def cpu_seconds(pid: int, thread: str = "") -> float:
    fields = Path(f"/proc/{pid}{thread}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def busiest_thread(pid: int) -> float:
    threads = os.listdir(f"/proc/{pid}/task")
    return max(cpu_seconds(pid, f"/task/{thread}") for thread in threads)


def memory_mib(pid: int, kind: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {kind}")


def bytes_of(kafka: TopicsKafka, prefix: str) -> int:
    """Of segments of all topics with the prefix, without indexes."""
    return sum(file.stat().st_size for file in kafka.folder.glob(f"data/{prefix}*/*.log"))


def measure(kafka: TopicsKafka, folder: Path, workers: int, jobs: int, seed: int) -> Figures:
    count = WORKSPACES_PER_JOB * workers * jobs
    flags = (*SIZES, QUOTA, f"--seed={seed}")
    folder.mkdir()
    with running_workspaces(folder, count, *flags) as workspaces:
        fleet = Fleet(kafka, workspaces, folder, f"{folder.name}.")
        # Jobs are there before workers are, topics of rows after the first.
        fleet.submit("--template=all")
        broker = cpu_seconds(kafka.pid)
        names = [f"worker{number}" for number in range(workers)]
        with working(fleet, names, f"--jobs={jobs}") as processes:
            done = fleet.wait_until_done(MOST_SECONDS, processes)
            assert {job["state"] for job in done} == {"complete"}, done
            broker = cpu_seconds(kafka.pid) - broker
            pids = [worker.process.pid for worker in processes]
            cpu = sum(map(cpu_seconds, pids))
            thread = max(map(busiest_thread, pids))
            memory = max(memory_mib(pid, "VmHWM") for pid in pids)
        asked = workspaces.asked()
    size = bytes_of(kafka, fleet.prefix)
    positions = bytes_of(kafka, f"{fleet.prefix}_positions")
    # Each leaves a position and a mark there.
    ends = topic_ends(admin_of(kafka.address), f"{fleet.prefix}_positions")
    kafka.drop(fleet.prefix)
    return Figures(
        workers=workers,
        jobs=jobs,
        workspaces=count,
        rows=sum(job["rows"] for job in done),
        requests=len(asked),
        seconds=max(one.at for one in asked) - min(one.at for one in asked),
        worker_cpu=cpu,
        thread_cpu=thread,
        broker_cpu=broker,
        worker_mib=memory,
        topic_bytes=size,
        positions_bytes=positions,
        transactions=sum(ends.values()) // 2,
    )


def measure_many(kafka: TopicsKafka, folder: Path) -> dict[str, float]:
    """What workspaces cost that only wait for their time."""
    folder.mkdir()
    names = folder / "names.txt"
    names.write_text("".join(f"workspace-{number:05}\n" for number in range(MANY)))
    with running_workspaces(folder, 1, *SIZES) as one:
        fleet = Fleet(kafka, one, folder, "many.")
        begun = time.monotonic()
        submit = ("--template=all", "--every=24h", "--incremental")
        done = fleet.call("submit", f"--workspaces-file={names}", *submit)
        assert done.returncode == 0, done
        submitted = time.monotonic()
        assert len(fleet.jobs()) == MANY
        told = time.monotonic()
        jobs_bytes = bytes_of(kafka, "many._jobs")
        # Connections of ten thousand, jobs of none.
        idle = Fleet(kafka, _with_many(one, folder), folder, "idle.")
        idle.submit("--template=all", workspaces="w1")
        with working(idle, ["idle"]) as workers:
            started = time.monotonic()
            idle.wait_until_done(MOST_SECONDS, workers)
            joined = time.monotonic()
            memory = memory_mib(workers[0].process.pid, "VmRSS")
            before = cpu_seconds(workers[0].process.pid)
            time.sleep(10)
            idle_cpu = (cpu_seconds(workers[0].process.pid) - before) / 10
    return {
        "submit_seconds": submitted - begun,
        "status_seconds": told - submitted,
        "jobs_topic_mib": jobs_bytes / MIB,
        "worker_mib": memory,
        "worker_cores": idle_cpu,
        "first_job_seconds": joined - started,
    }


def _with_many(one: Workspaces, folder: Path) -> Workspaces:
    """The same, with a configuration that names many more, whose token is of no use."""
    text = one.config.read_text()
    text += "".join(
        f"  - {{name: workspace-{number:05}, region: eu, access_token_env: TOKEN_NONE}}\n"
        for number in range(MANY)
    )
    one.config = folder / "many.yaml"
    one.config.write_text(text)
    one.tokens["TOKEN_NONE"] = "none"
    return one


def _median(rounds: list[Figures], of: str) -> float:
    return statistics.median(float(getattr(figures, of)) for figures in rounds)


def table(measured: list[list[Figures]]) -> str:
    """In Markdown: of each setting the medians of its rounds."""
    lines = [
        "| workers | jobs each | workspaces | rows/s | requests/s | CPU s per million rows | "
        "cores of the broker | MiB of a worker, peak | bytes in Kafka per row |",
        f"| {' | '.join(['---'] * 9)} |",
    ]
    for rounds in measured:
        first = rounds[0]
        million = _median(rounds, "rows") / 1e6
        seconds = _median(rounds, "seconds")
        cells = [
            str(first.workers),
            str(first.jobs),
            str(first.workspaces),
            f"{_median(rounds, 'rows_per_second'):,.0f}",
            f"{_median(rounds, 'requests') / seconds:,.0f}",
            f"{_median(rounds, 'worker_cpu') / million:.0f}",
            f"{_median(rounds, 'broker_cpu') / seconds:.2f}",
            f"{_median(rounds, 'worker_mib'):.0f}",
            f"{_median(rounds, 'topic_bytes') / million / 1e6:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run soak scale", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=_numbers, default=[1, 2], metavar="N,N")
    parser.add_argument("--jobs", type=_numbers, default=[1, 2, 4, 8, 16], metavar="N,N")
    options = parser.parse_args()
    settings = [(workers, jobs) for workers in options.workers for jobs in options.jobs]
    measured: list[list[Figures]] = [[] for _ in settings]
    with running_topics() as kafka, tempfile.TemporaryDirectory(prefix="scale-") as made:
        # Rounds around settings: what disturbs the machine for a while meets all alike.
        for number in range(options.rounds):
            for at, (workers, jobs) in enumerate(settings):
                folder = Path(made) / f"scale-{number}-{workers}-{jobs}"
                figures = measure(kafka, folder, workers, jobs, seed=number + 1)
                measured[at].append(figures)
                print(figures, file=sys.stderr, flush=True)
        many = measure_many(kafka, Path(made) / "many")
    path = ROOT / ".build/sinks/scale.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rounds = [asdict(figures) for setting in measured for figures in setting]
    path.write_text(json.dumps({"rounds": rounds, "many": many}, indent=1) + "\n")
    print(table(measured))
    last = measured[-1]
    thread = _median(last, "thread_cpu") / _median(last, "rows") * last[0].workers * 1e6
    print(f"\nThe busiest thread of a worker takes {thread:.0f} CPU s per million rows.")
    position = _median(last, "positions_bytes") / _median(last, "transactions")
    print(f"A position has {position:,.0f} bytes. {MANY:,} workspaces that wait:")
    for name, value in many.items():
        print(f"  {name.replace('_', ' '):<20}{value:8.2f}")
    print(f"\nfigures: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
