"""What ./run soak does: extractions that are disturbed, and must not lose or repeat a row."""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter

from campaign import Campaign, Outcome
from only_one import only_one
from scenario import STOPS, Kind, Reader, Scenario, killed, stopped_often
from stage import RunFailed

from programs import ROOT

FOLDER = ROOT / ".build/soak"
# How many of the slowest runs the report names.
SLOWEST = 10


def report(outcomes: list[Outcome], seed: int, seconds: float) -> dict[str, object]:
    """The figures of a campaign, for a JSON file."""
    done = sum((outcome.done for outcome in outcomes), Counter[Kind]())
    readers = Counter(outcome.scenario.reader for outcome in outcomes)
    restarts = Counter(
        restart.partition(":")[0] for outcome in outcomes for restart in outcome.restarts
    )
    return {
        "seed": seed,
        "runs": len(outcomes),
        "runs_by_reader": {reader.value: readers[reader] for reader in Reader},
        "disturbances": done.total(),
        "disturbances_by_kind": {kind.value: done[kind] for kind in Kind},
        "attempts": sum(outcome.attempts for outcome in outcomes),
        "raw_rows_dropped": sum(outcome.rows_dropped for outcome in outcomes),
        "raw_table_restarts": dict(sorted(restarts.items())),
        "seconds": round(seconds, 1),
        "slowest": [
            {"run": outcome.scenario.run, "seconds": round(outcome.seconds, 1)}
            for outcome in sorted(outcomes, key=lambda outcome: -outcome.seconds)[:SLOWEST]
        ],
        "failures": [
            {
                "run": outcome.scenario.run,
                "scenario": str(outcome.scenario),
                "problems": outcome.problems,
                "files": str(outcome.folder),
            }
            for outcome in outcomes
            if outcome.problems
        ],
    }


async def play(scenarios: list[Scenario], jobs: int) -> list[Outcome]:
    """Runs them all and says what failed at once."""
    outcomes: list[Outcome] = []
    async for outcome in Campaign(FOLDER, jobs).run_all(scenarios):
        outcomes.append(outcome)
        if outcome.problems:
            print(f"\n{outcome.message()}\n", flush=True)
        elif len(scenarios) == 1:
            print(outcome.scenario)
        if len(outcomes) % 50 == 0:
            print(f"{len(outcomes)} of {len(scenarios)} runs", flush=True)
    return outcomes


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    kill = commands.add_parser("kill", help="programs and connections break at random points")
    kill.add_argument("--runs", type=int, default=100, help="how many; default %(default)s")
    sigterm = commands.add_parser("sigterm", help="SIGTERM ends one extraction 20 times")
    for command in (kill, sigterm):
        command.add_argument("--seed", type=int, default=1, help="default %(default)s")
        command.add_argument("--only", type=int, metavar="RUN", help="just this run")
        command.add_argument(
            "--jobs", type=int, default=12, help="runs at a time; default %(default)s"
        )
    return parser.parse_args()


def main() -> int:
    flags = parse()
    with only_one(FOLDER):
        return run(flags)


def run(flags: argparse.Namespace) -> int:
    """Plays what the flags say; the exit code."""
    make = {"kill": killed, "sigterm": stopped_often}[flags.command]
    count = flags.runs if flags.command == "kill" else len(STOPS)
    runs = range(count) if flags.only is None else [flags.only]
    start = time.monotonic()
    try:
        outcomes = asyncio.run(play([make(flags.seed, number) for number in runs], flags.jobs))
    except RunFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    figures = report(outcomes, flags.seed, time.monotonic() - start)
    file = FOLDER / f"{flags.command}.json"
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")

    done = sum((outcome.done for outcome in outcomes), Counter[Kind]())
    by_kind = ", ".join(f"{done[kind]} {kind.value}" for kind in Kind if done[kind])
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    print(
        f"seed {flags.seed}: {len(outcomes)} runs, {done.total()} disturbances ({by_kind}), "
        f"{failed} failures, {figures['seconds']} s; figures: {file.relative_to(ROOT)}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
