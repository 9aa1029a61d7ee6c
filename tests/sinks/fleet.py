"""A fleet on a broker: workspaces of a fake, workers, and what both leave behind."""

import contextlib
import itertools
import json
import random
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka_topics import TopicsKafka, read_topic
from record_streams import Record, Streams, differences

from programs import ACCESS_TOKEN, FAKE_INTERCOM, INTERCOM_EXTRACT, clean_environment
from tables import TABLES

PREFIX = "fleet."
# The shortest that a broker takes: dead workers are noticed soon.
SESSION_SECONDS = 6
DONE = ("complete", "partial", "failed")


@dataclass(frozen=True)
class Asked:
    """A line of the fake's log."""

    at: float
    workspace: str
    status: int
    worker: str
    process: str  # One of those that had the worker's name.
    what: str


class Workspaces:
    """The fake's, numbered from 1, and the configuration that names them."""

    def __init__(self, folder: Path, count: int, *flags: str) -> None:
        self.names = [f"w{number}" for number in range(1, count + 1)]
        self.flags = flags
        self._folder = folder
        self._log = folder / "requests.log"
        arguments = [FAKE_INTERCOM, f"--workspaces={count}", "--threads=1", *flags]
        arguments += [f"--request-log={self._log}", f"--expect={folder / 'expected'}"]
        self._fake = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, text=True, env=clean_environment()
        )
        assert self._fake.stdout is not None
        lines = ["connections:"]
        for name in self.names:
            address = self._fake.stdout.readline().split()[-1]
            lines += [f"  - name: {name}", f"    base_url: {address}"]
            lines += [f"    access_token_env: TOKEN_{name}"]
        self.config = folder / "workspaces.yaml"
        self.config.write_text("\n".join(lines) + "\n")
        self.tokens = {
            f"TOKEN_{name}": f"{ACCESS_TOKEN}-{name[1:]}" if count > 1 else ACCESS_TOKEN
            for name in self.names
        }

    def expected(self, name: str) -> Path:
        only = self._folder / "expected"
        return only / name[1:] if len(self.names) > 1 else only

    def asked(self) -> list[Asked]:
        found = []
        for line in self._log.read_text().splitlines():
            at, number, status, agent, what = line.split("\t")
            _, worker, process = (part.rpartition("/")[2] for part in agent.split())
            found.append(Asked(int(at) / 1e6, f"w{number}", int(status), worker, process, what))
        return found

    def stop(self) -> None:
        self._fake.terminate()
        self._fake.wait()


class Worker:
    """A process of a worker; its log goes on over all processes of the name."""

    def __init__(self, fleet: "Fleet", name: str, *flags: str, named: bool = True) -> None:
        self.name = name
        self.log = fleet.folder / f"{name}.log"
        arguments = [INTERCOM_EXTRACT, "fleet", "work", f"--sink={fleet.sink}"]
        arguments += [f"--config={fleet.workspaces.config}", *([f"--worker={name}"] * named)]
        arguments += [f"--session-timeout={SESSION_SECONDS}s", *flags]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(**fleet.workspaces.tokens),
            )

    def kill(self, signal_: signal.Signals = signal.SIGKILL) -> int:
        self.process.send_signal(signal_)
        return self.process.wait(timeout=60)

    def said(self) -> str:
        return self.log.read_text()

    def until(self, met: Callable[[], bool], seconds: float = 90.0) -> None:
        """Waits for what must come while the worker runs."""
        deadline = time.monotonic() + seconds
        while not met():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)


@dataclass
class Fleet:
    kafka: TopicsKafka
    workspaces: Workspaces
    folder: Path
    prefix: str = PREFIX

    @property
    def sink(self) -> str:
        return f"kafka://{self.kafka.address}/?prefix={self.prefix}"

    def call(self, action: str, *flags: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [INTERCOM_EXTRACT, "fleet", action, f"--sink={self.sink}", *flags],
            text=True,
            capture_output=True,
            timeout=120,
            env=clean_environment(),
            check=False,
        )

    def submit(self, *flags: str, workspaces: str = "") -> None:
        names = workspaces or ",".join(self.workspaces.names)
        done = self.call("submit", f"--workspaces={names}", *flags)
        assert done.returncode == 0, done

    def jobs(self) -> list[dict[str, Any]]:
        status = self.call("status", "--json")
        assert status.returncode in (0, 4), status
        jobs: list[dict[str, Any]] = json.loads(status.stdout)["jobs"]
        return jobs

    def wait_until_done(self, seconds: float, workers: list[Worker]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        jobs = self.jobs()
        while not all(job["state"] in DONE for job in jobs):
            counts = Counter(job["state"] for job in jobs)
            logs = "\n".join(worker.said()[-2000:] for worker in workers)
            assert time.monotonic() < deadline, f"after {seconds} s: {counts}\n{logs}"
            time.sleep(0.5)
            jobs = self.jobs()
        return jobs

    def streams(self) -> dict[str, Streams]:
        """What readers have of each workspace; keys without it."""
        records: dict[str, dict[str, list[Record]]] = defaultdict(
            lambda: {table: [] for table in TABLES}
        )
        for table in TABLES:
            for record in read_topic(self.kafka.address, f"{self.prefix}{table}"):
                workspace, key = record.key.split("/", 1)
                assert record.headers["workspace"] == workspace
                records[workspace][table].append(Record(key, record.value, record.headers))
        events: dict[str, list[bytes]] = defaultdict(list)
        for record in read_topic(self.kafka.address, f"{self.prefix}_events"):
            assert record.headers["workspace"] == record.key.split("/", 1)[0]
            events[record.headers["workspace"]].append(record.value or b"")
        return {name: Streams(tables, events[name]) for name, tables in records.items()}

    def problems(self) -> list[str]:
        """Rows that are missing, too many, or there twice, by workspace."""
        found = []
        streams = self.streams()
        for name in self.workspaces.names:
            if name not in streams:
                found.append(f"{name}: nothing")
                continue
            wrong = streams[name].repeated()
            wrong += differences(streams[name], self.workspaces.expected(name))
            found += [f"{name}: {text}" for text in wrong]
        return found


def beyond_quota(asked: list[Asked], limit: int, window: float) -> list[str]:
    """Windows of a workspace with more requests than its quota, and answers that say so."""
    counts = Counter((one.workspace, int(one.at / window)) for one in asked)
    found = [f"{key}: {count}" for key, count in counts.items() if count > limit]
    return found + [f"{one.workspace}: {one.what}" for one in asked if one.status == 429]


def at_the_same_time(asked: list[Asked], grace: float) -> list[str]:
    """Processes that asked a workspace between two requests of another one that are so near
    to each other that it cannot have been given back in between."""
    found = []
    by_workspace: dict[str, list[Asked]] = defaultdict(list)
    for one in sorted(asked, key=lambda one: one.at):
        by_workspace[one.workspace].append(one)
    for workspace, requests in by_workspace.items():
        blocks = [list(block) for _, block in itertools.groupby(requests, lambda one: one.process)]
        for before, between, after in zip(blocks, blocks[1:], blocks[2:], strict=False):
            apart = after[0].at - before[-1].at
            if before[0].process == after[0].process and apart < grace:
                found.append(
                    f"{workspace}: {between[0].worker} asked {between[0].what} within "
                    f"{apart:.3f} s of {before[0].worker}"
                )
    return found


def jobs_by_worker(asked: list[Asked]) -> Counter[str]:
    """Workspaces by the worker that asked them first."""
    first: dict[str, str] = {}
    for one in sorted(asked, key=lambda one: one.at):
        first.setdefault(one.workspace, one.worker)
    return Counter(first.values())


@contextlib.contextmanager
def running_workspaces(folder: Path, count: int, *flags: str) -> Iterator[Workspaces]:
    workspaces = Workspaces(folder, count, *flags)
    try:
        yield workspaces
    finally:
        workspaces.stop()


@contextlib.contextmanager
def working(fleet: Fleet, names: list[str], *flags: str) -> Iterator[list[Worker]]:
    """Workers, which end with the block; the list may be changed meanwhile."""
    workers = [Worker(fleet, name, *flags) for name in names]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()


def disturb(
    fleet: Fleet, workers: list[Worker], chance: random.Random, disturbances: int, *flags: str
) -> Counter[str]:
    """Kills, ends or freezes workers while there is work to do, and starts them again."""
    told: Counter[str] = Counter()
    for _ in range(disturbances):
        if all(job["state"] in DONE for job in fleet.jobs()):
            fleet.submit("--template=all")
        time.sleep(chance.uniform(0.3, 2.5))
        at = chance.randrange(len(workers))
        how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        told[how.name] += 1
        if how == signal.SIGSTOP:
            workers[at].process.send_signal(how)
            time.sleep(chance.uniform(0.5, SESSION_SECONDS * 2))
            workers[at].process.send_signal(signal.SIGCONT)
        else:
            workers[at].kill(how)
            workers[at] = Worker(fleet, workers[at].name, *flags)
    return told
