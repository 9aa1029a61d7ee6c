"""The mixed load: many workspaces, two servers, many clients, and what disturbs them.

One server lives from the beginning to the end and is watched; the other is killed and ended
again and again, and so are programs that play Intercom. Every extraction that a client
completes is compared, row by row.
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from campaign import wrong_counts, wrong_rows
from compare_files import Difference, difference, wrong_files
from mixed_plan import RESTARTED, STEADY, Client, Visit, connection_name, visit
from mixed_trouble import Fakes, Trouble
from mixed_verdict import Block, Counts, FirstRow
from proxy import Proxy
from raw_consumer import RawConsumer
from scenario import UPDATED_SINCE, WORKSPACES, workspace_flags
from stage import ATTEMPT_SECONDS, CHANNEL_OPTIONS, COMPLETE, LISTENING, PASSING, UNREACHABLE

from meter import Meter
from process import Process, free_port
from programs import (
    INTERCOM_EXTRACT,
    INTERCOM_SERVER,
    Fake,
    clean_environment,
    write_expected,
)
from tables import TABLES, read_json_lines, read_rows, row_of_json

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE.name
MOST_ATTEMPTS = 40
# How long the extractions under way when the time is over may take.
LAST_SECONDS = 300.0


@dataclass(frozen=True)
class Load:
    """How much of everything."""

    seed: int
    seconds: float
    # Clients at a time, beside the probes.
    clients: int = 5
    probes_per_second: float = 2.0
    workspaces: tuple[str, ...] = tuple(WORKSPACES)


@dataclass(frozen=True)
class Truth:
    """What one workspace's tables hold."""

    expected: Path
    # Serialised rows, as they came in an undisturbed stream.
    rows: Mapping[str, Counter[bytes]]
    # As `_lines` gives them.
    lines: Mapping[str, Counter[bytes]]

    @property
    def row_count(self) -> int:
        return sum(rows.total() for rows in self.rows.values())


class MixedLoad:
    """One block; lives in one event loop, everything is below `folder`."""

    def __init__(self, load: Load, folder: Path, say: Callable[[str], None] = print) -> None:
        self.block = Block(load.seed)
        self._load = load
        self._folder = folder
        self._say = say
        self._truths: dict[tuple[str, int], Truth] = {}
        self._fakes = Fakes(folder, load.workspaces)
        self._metrics_port = free_port()
        self._ports = {STEADY: free_port(), RESTARTED: free_port()}
        self._servers = {
            number: Process(
                [
                    *(INTERCOM_SERVER, "--config", folder / f"server-{number}.yaml"),
                    *("--listen", f"127.0.0.1:{port}"),
                    *(
                        ("--metrics-listen", f"127.0.0.1:{self._metrics_port}")
                        if number == STEADY
                        else ()
                    ),
                ],
                folder / f"server-{number}.log",
                clean_environment(INTERCOM_ACCESS_TOKEN=f"fake-access-token-{number}"),
            )
            for number, port in self._ports.items()
        }
        self._proxies = {number: Proxy(port, lambda: None) for number, port in self._ports.items()}
        self._trouble = Trouble(
            load.seed, load.workspaces, self._fakes, self._servers[RESTARTED], self._proxies
        )
        self._probe = Process(
            [
                *(sys.executable, Path(__file__).parent / "probe.py", f"--seed={load.seed}"),
                *(f"--target=127.0.0.1:{self._ports[STEADY]}",),
                *(f"--connection={connection_name(name)}" for name in load.workspaces),
                f"--rate={load.probes_per_second}",
            ],
            folder / "probe.log",
            os.environ,
        )

    async def run(self) -> Block:
        """Never raises for what clients and servers do under load; that is in the block."""
        async with self._started():
            self._say(f"reads {len(self._truths)} workspaces, compares every extraction")
            start, start_time = time.monotonic(), time.time()
            end = start + self._load.seconds
            meter = Meter(self._servers[STEADY].pid)
            numbers = itertools.count()
            await self._probe.start()
            async with self._running([self._watch(meter), *self._trouble.everything()], wait=0):
                visits = [self._visit_until(end, numbers) for _ in range(self._load.clients)]
                # The rest of what was begun is compared as well, but no longer measured.
                async with self._running(visits, wait=LAST_SECONDS):
                    await asyncio.sleep(self._load.seconds)
                    self.block.seconds = time.monotonic() - start
                    await self._probe.kill()
            if not self._servers[STEADY].running:
                self.block.wrong.append("the long-lived server has ended")
        measured = sum(sample.seconds <= self.block.seconds for sample in meter.samples)
        self.block.samples = meter.samples[:measured]
        self.block.counts = self.block.counts[:measured]
        self.block.disturbances = dict(self._trouble.done)
        self._read_probes(start_time)
        return self.block

    @contextlib.asynccontextmanager
    async def _running(
        self, work: Sequence[Coroutine[None, None, None]], wait: float
    ) -> AsyncIterator[None]:
        """Beside the block, then for `wait` seconds at most."""
        tasks = [asyncio.create_task(task) for task in work]
        try:
            yield
            if wait:
                _, hanging = await asyncio.wait(tasks, timeout=wait)
                self.block.wrong += [f"does not end: {task.get_coro()}" for task in hanging]
        finally:
            for task in tasks:
                task.cancel()
            for gone in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(gone, Exception):
                    self.block.wrong.append(f"{type(gone).__name__}: {gone}")

    @contextlib.asynccontextmanager
    async def _started(self) -> AsyncIterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in self._servers:
            (self._folder / f"server-{number}.yaml").write_text(
                "connections:\n"
                + "".join(
                    f"  - name: {connection_name(workspace)}\n"
                    f"    base_url: {self._fakes.url(workspace, number)}\n"
                    "    access_token_env: INTERCOM_ACCESS_TOKEN\n"
                    for workspace in self._load.workspaces
                )
            )
        everything = [*self._fakes.processes.values(), *self._servers.values()]
        try:
            for process in everything:
                await process.start(LISTENING)
            for proxy in self._proxies.values():
                await proxy.start()
            for workspace in self._load.workspaces:
                await self._read_undisturbed(workspace)
            yield
        finally:
            for process in (self._probe, *everything):
                await process.kill()
            for proxy in self._proxies.values():
                await proxy.stop()

    async def _read_undisturbed(self, workspace: str) -> None:
        """The truth of both workspaces of a kind, and that an undisturbed stream has it."""
        since = UPDATED_SINCE.get(workspace)
        flags = [*workspace_flags(workspace), "--workspaces=2"]
        if since is not None:
            flags.append(f"--expect-since={since}")
        folder = self._folder / f"expected-{connection_name(workspace)}"
        expected = await asyncio.to_thread(write_expected, folder, *flags)
        for server in self._servers:
            consumer = RawConsumer(since, connection_name(workspace))
            await _read(consumer, self._ports[server])
            of_server = expected / str(server)
            wrong = consumer.broken_promises + wrong_counts(consumer, of_server)
            self.block.wrong += [f"undisturbed, '{workspace}': {line}" for line in wrong]
            lines = {table: _lines(read_rows(of_server / f"{table}.csv")) for table in TABLES}
            self._truths[workspace, server] = Truth(of_server, consumer.rows(), lines)

    # What is watched.

    async def _watch(self, meter: Meter) -> None:
        start = time.monotonic()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, start + number - time.monotonic()))
            counts = await asyncio.to_thread(_counts, self._metrics_port)
            meter.rows = counts.rows
            meter.look()
            self.block.counts.append(counts)

    def _read_probes(self, start_time: float) -> None:
        for line in (self._folder / "probe.log").read_text().splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                # Ended in the middle of a line, or not as it should have.
                continue
            if self._trouble.was_down(told["connection"], told["at"], told["until"]):
                # Waits for its Intercom, or gives it up; any other problem is one.
                if not told.get("problem", UNAVAILABLE).startswith(UNAVAILABLE):
                    self.block.wrong.append(f"a stream of '{told['connection']}': {told}")
                self.block.streams_without_intercom += 1
            elif "problem" in told:
                self.block.wrong.append(f"a stream of '{told['connection']}': {told['problem']}")
            else:
                self.block.first_rows.append(FirstRow(told["at"] - start_time, told["seconds"]))

    # The clients.

    async def _visit_until(self, end: float, numbers: "itertools.count[int]") -> None:
        while time.monotonic() < end:
            what = visit(self._load.seed, next(numbers), self._load.workspaces)
            folder = self._folder / f"visit-{what.number}"
            wrong: list[str] = []
            try:
                wrong = await self._play(what, folder)
            except Exception as error:  # One broken client must not end the others.
                wrong = [f"{type(error).__name__}: {error}"]
            for line in wrong:
                if isinstance(line, Difference):
                    self.block.rows_lost += line.missing
                    self.block.rows_extra += line.extra
                self.block.wrong.append(f"{what}: {line}")
                self._say(f"FAILED {what}: {line}\nfiles: {folder}")
            if not wrong:
                shutil.rmtree(folder, ignore_errors=True)
            await asyncio.sleep(min(what.rest_seconds, max(0.0, end - time.monotonic())))

    async def _play(self, what: Visit, folder: Path) -> list[str]:
        """What is wrong with it."""
        folder.mkdir()
        truth = self._truths[what.workspace, what.server]
        port = self._proxies[what.server].port if what.through_proxy else self._ports[what.server]
        if what.client in (Client.RAW, Client.SLOW):
            wrong = await self._consume(what, port, truth)
        else:
            wrong = await self._run_command_line(what, port, folder)
            if what.client is Client.ABANDONED:
                return wrong
            if not wrong:
                wrong = await asyncio.to_thread(_wrong_output, what, folder / "output", truth)
        if not wrong:
            complete = self.block.complete
            complete[what.client.value] = complete.get(what.client.value, 0) + 1
            self.block.rows_compared += truth.row_count
        return wrong

    async def _consume(self, what: Visit, port: int, truth: Truth) -> list[str]:
        consumer = RawConsumer(what.updated_since, what.connection, what.pause_seconds)
        for _ in range(MOST_ATTEMPTS):
            start = time.time()
            try:
                await asyncio.wait_for(_read(consumer, port), ATTEMPT_SECONDS)
            except grpc.aio.AioRpcError as error:
                broken = what.may_break or self._trouble.was_down(
                    what.connection, start, time.time()
                )
                if error.code() not in PASSING or not broken:
                    return [f"the stream ended with {error.code()}: {error.details()}"]
                await asyncio.sleep(0.1)
            if consumer.complete:
                break
        else:
            return [f"not complete after {MOST_ATTEMPTS} attempts"]
        return [
            *wrong_rows(consumer.rows(), truth.rows),
            *consumer.broken_promises,
            *consumer.too_many(truth.rows),
        ]

    async def _run_command_line(self, what: Visit, port: int, folder: Path) -> list[str]:
        arguments = [
            *("extract", "--server", f"127.0.0.1:{port}", "--connection", what.connection),
            *("--template", "all", "--output", folder / "output"),
        ]
        if what.updated_since is not None:
            arguments += ["--updated-since", str(what.updated_since)]
        if what.client is Client.JSON_LINES:
            arguments += ["--format", "jsonl"]
        log = folder / "client.log"
        for attempt in range(MOST_ATTEMPTS):
            resume = ("--resume",) if attempt else ()
            client = Process([INTERCOM_EXTRACT, *arguments, *resume], log, clean_environment())
            start = time.time()
            await client.start()
            try:
                if attempt < len(what.kills_after):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(client.wait(), what.kills_after[attempt])
                    if client.running:
                        client.send(signal.SIGKILL)
                        self._trouble.done["SIGKILL client"] += 1
                code = await asyncio.wait_for(client.wait(), ATTEMPT_SECONDS)
            except TimeoutError:
                return [f"attempt {attempt + 1} hung: {_end_of(log)}"]
            finally:
                await client.kill()
            if code == COMPLETE or what.client is Client.ABANDONED:
                return []
            killed = code == -signal.SIGKILL and attempt < len(what.kills_after)
            broken = what.may_break or self._trouble.was_down(what.connection, start, time.time())
            if not killed and not (code == UNREACHABLE and broken):
                return [f"attempt {attempt + 1} ended with {code}: {_end_of(log)}"]
        return [f"not complete after {MOST_ATTEMPTS} attempts"]


async def _read(consumer: RawConsumer, port: int) -> None:
    address = f"127.0.0.1:{port}"
    async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        await consumer.read(channel)


def _counts(port: int) -> Counts:
    """What the server says of itself."""
    text = Fake(f"http://127.0.0.1:{port}", ()).request("GET", "/metrics").body.decode()
    sums: Counter[str] = Counter()
    for name, value in re.findall(r"^intercom_extractor_(\w+)(?:\{.*\})? (\S+)$", text, re.M):
        sums[name] += float(value)
    return Counts(
        rows=int(sums["rows_total"]),
        requests=int(sums["intercom_requests_total"]),
        retries=int(sums["intercom_retries_total"]),
        streams=int(sums["extractions_total"]),
        running=int(sums["extractions_running"]),
        load=os.getloadavg()[0],
    )


def _lines(rows: Sequence[Mapping[str, str | None]]) -> Counter[bytes]:
    """Rows in a form that CSV and JSON Lines share, columns in their order."""
    return Counter(repr(list(row.items())).encode() for row in rows)


def _wrong_output(what: Visit, output: Path, truth: Truth) -> list[str]:
    kind = "" if what.updated_since is None else ".delta"
    if what.client is not Client.JSON_LINES:
        return wrong_files(output, truth.expected, kind=kind)
    return [
        line
        for table in TABLES
        for line in difference(
            table,
            _lines([row_of_json(row) for row in read_json_lines(output / f"{table}{kind}.jsonl")]),
            truth.lines[table],
        )
    ]


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-1000:]
