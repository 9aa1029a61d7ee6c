"""Runs scenarios, several at a time, and says what came of each."""

import asyncio
import contextlib
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compare_files import difference, wrong_files
from raw_consumer import RawConsumer
from scenario import UPDATED_SINCE, Kind, Reader, Scenario, workspace_flags
from stage import Effort, RunFailed, Stage

from programs import write_expected
from tables import TABLES, raw_records, read_bytes

# Each disturbance breaks off at most one attempt, and another that begins just before a
# stopping server's end.
ATTEMPTS_PER_DISTURBANCE = 2
SPARE_ATTEMPTS = 3


@dataclass
class Outcome:
    """How a run ended."""

    scenario: Scenario
    folder: Path
    seconds: float = 0
    attempts: int = 0
    done: Counter[Kind] = field(default_factory=Counter)
    # Of the raw consumer.
    rows_dropped: int = 0
    restarts: list[str] = field(default_factory=list)
    # Empty when all is well.
    problems: list[str] = field(default_factory=list)

    def message(self) -> str:
        """What a person needs to repeat it."""
        scenario = self.scenario
        return "\n".join(
            [
                f"FAILED run {scenario.run} of seed {scenario.seed}: {scenario}",
                *self.problems,
                f"files: {self.folder}",
                f"again: {scenario.again()}",
            ]
        )


@dataclass(frozen=True)
class Truth:
    """What a workspace's tables hold, and what reading them undisturbed needs."""

    # The CSV files that the fake says are right.
    expected: Path
    # Serialised rows, as they came in an undisturbed stream.
    rows: Mapping[str, Counter[bytes]]
    effort: Mapping[Reader, Effort]


class Campaign:
    """For one event loop; everything is below `folder`, at most `jobs` runs at a time."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder = folder
        self._jobs = asyncio.Semaphore(jobs)
        self._truths: dict[str, Truth] = {}

    async def run_all(self, scenarios: Sequence[Scenario]) -> AsyncIterator[Outcome]:
        """Each as it ends; RunFailed where not even an undisturbed run is right."""
        # One after the other and alone, as the shares of later disturbances are of them.
        for workspace in sorted({scenario.workspace for scenario in scenarios}):
            self._truths[workspace] = await self._read_undisturbed(workspace)
        tasks = [asyncio.create_task(self._run(scenario)) for scenario in scenarios]
        for next_done in asyncio.as_completed(tasks):
            yield await next_done

    async def _run(self, scenario: Scenario) -> Outcome:
        """Never raises for what the programs do; that is in the outcome."""
        async with self._jobs:
            folder = self._folder / f"{scenario.command}-{scenario.seed}-{scenario.run}"
            shutil.rmtree(folder, ignore_errors=True)
            outcome = Outcome(scenario, folder)
            start = time.monotonic()
            try:
                await _play(scenario, self._truths[scenario.workspace], outcome)
            except RunFailed as failure:
                outcome.problems.append(str(failure))
            except Exception as error:  # One broken run must not end the others.
                outcome.problems.append(f"{type(error).__name__}: {error}")
            outcome.seconds = time.monotonic() - start
            if not outcome.problems:
                shutil.rmtree(folder)
            return outcome

    async def _read_undisturbed(self, workspace: str) -> Truth:
        folder = self._folder / f"undisturbed-{workspace.replace(' ', '-')}"
        shutil.rmtree(folder, ignore_errors=True)
        flags = workspace_flags(workspace)
        since = UPDATED_SINCE.get(workspace)
        folder.mkdir(parents=True)
        expect_since = () if since is None else (f"--expect-since={since}",)
        expected = await asyncio.to_thread(
            write_expected, folder / "expected", *flags, *expect_since
        )
        effort: dict[Reader, Effort] = {}
        consumer = RawConsumer(since)
        for reader in Reader:
            async with Stage.opened(folder / reader.name.lower(), reader, flags, since) as stage:
                if reader is Reader.RAW:
                    await stage.run_consumer(consumer, 1)
                    problems = consumer.broken_promises + wrong_counts(consumer, expected)
                else:
                    await stage.run_command_line(1)
                    problems = wrong_files(stage.output, expected, kind=_kind(since))
                effort[reader] = stage.effort()
            if problems:
                raise RunFailed(f"undisturbed, '{workspace}' is wrong: " + "; ".join(problems))
        return Truth(expected, consumer.rows(), effort)


async def _play(scenario: Scenario, truth: Truth, outcome: Outcome) -> None:
    most_attempts = ATTEMPTS_PER_DISTURBANCE * len(scenario.disturbances) + SPARE_ATTEMPTS
    since = scenario.updated_since
    opened = Stage.opened(outcome.folder, scenario.reader, scenario.fake_flags, since)
    async with opened as stage:
        disturbing = asyncio.create_task(
            stage.disturb(scenario.disturbances, truth.effort[scenario.reader], outcome.done)
        )
        consumer = RawConsumer(since)
        try:
            if scenario.reader is Reader.RAW:
                await stage.run_consumer(consumer, most_attempts)
            else:
                await stage.run_command_line(most_attempts)
        finally:
            outcome.attempts = stage.attempts
            disturbing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await disturbing
            outcome.problems += stage.broken
        if scenario.reader is Reader.RAW:
            outcome.rows_dropped = consumer.rows_dropped
            outcome.restarts = consumer.restarts
            outcome.problems += wrong_rows(consumer.rows(), truth.rows)
            outcome.problems += consumer.broken_promises + consumer.too_many(truth.rows)
        else:
            outcome.problems += wrong_files(stage.output, truth.expected, kind=_kind(since))
            await stage.resume_complete()


def _kind(since: int | None) -> str:
    """What the names of a run's files have before their extension."""
    return "" if since is None else ".delta"


def wrong_rows(
    actual: Mapping[str, Counter[bytes]], truth: Mapping[str, Counter[bytes]]
) -> list[str]:
    """The tables that differ, one line each."""
    nothing: Counter[bytes] = Counter()
    return [
        line
        for table in TABLES
        for line in difference(table, actual.get(table, nothing), truth.get(table, nothing))
    ]


def wrong_counts(consumer: RawConsumer, expected: Path) -> list[str]:
    """Ties the undisturbed stream, whose rows are the truth of others, to the fake's files."""
    problems = []
    for table in TABLES:
        came = consumer.rows().get(table, Counter()).total()
        wanted = len(raw_records(read_bytes(expected / f"{table}.csv"))) - 1
        if came != wanted:
            problems.append(f"{table}: {came} rows came in the stream, want {wanted}")
    return problems
