"""What ./run soak faults does: extractions with several faults at once, and none loses a row."""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence

from combinations import Combination, combine
from library import load
from only_one import only_one
from play import Outcome, Stage

from programs import ROOT

FOLDER = ROOT / ".build/faults"
# How many of the slowest runs the report names.
SLOWEST = 10


async def play_single(names: Sequence[str], jobs: int) -> int:
    """Plays scenarios of the library, all without names, and prints what came of them."""
    library = load()
    chosen = [scenario for scenario in library if scenario.name in names or not names]
    unknown = set(names) - {scenario.name for scenario in chosen}
    if unknown:
        print(f"no such scenario: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    failed = 0
    async for outcome in Stage(FOLDER / "play", jobs).play_all(chosen):
        failed += bool(outcome.problems)
        print(outcome.message() if outcome.problems else describe(outcome), flush=True)
    return 1 if failed else 0


def describe(outcome: Outcome) -> str:
    result = outcome.result
    assert result is not None
    return (
        f"as expected: {outcome.scenario.name}: exit code {result.exit_code}, "
        f"{result.requests} requests, {result.seconds:.1f} s"
    )


def message(combination: Combination, outcome: Outcome) -> str:
    return f"\nFAILED {outcome.message()}\nagain: {combination.again()}\n"


async def play_combinations(
    combinations: Sequence[Combination], jobs: int
) -> list[tuple[Combination, Outcome]]:
    """Says at once what failed."""
    by_name = {each.scenario.name: each for each in combinations}
    played: list[tuple[Combination, Outcome]] = []
    stage = Stage(FOLDER / "combinations", jobs)
    async for outcome in stage.play_all([each.scenario for each in combinations]):
        combination = by_name[outcome.scenario.name]
        played.append((combination, outcome))
        if outcome.problems:
            print(message(combination, outcome), flush=True)
        elif len(combinations) == 1:
            print(f"{outcome.scenario.about}\n{describe(outcome)}")
        if len(played) % 50 == 0:
            print(f"{len(played)} of {len(combinations)} combinations", flush=True)
    return played


def report(
    played: Sequence[tuple[Combination, Outcome]], seed: int, seconds: float
) -> dict[str, object]:
    """The figures of a campaign, for a JSON file."""
    parts = Counter(part for combination, _ in played for part in combination.parts)
    results = [(combination, outcome.result) for combination, outcome in played if outcome.result]
    slowest = sorted(results, key=lambda each: -each[1].seconds)[:SLOWEST]
    return {
        "seed": seed,
        "combinations": len(played),
        "faults": parts.total(),
        "faults_by_scenario": dict(sorted(parts.items())),
        "requests": sum(result.requests for _, result in results),
        "seconds": round(seconds, 1),
        "slowest": [
            {"number": combination.number, "seconds": round(result.seconds, 1)}
            for combination, result in slowest
        ],
        "failures": [
            {"number": combination.number, "parts": combination.parts, "problems": outcome.problems}
            for combination, outcome in played
            if outcome.problems
        ],
    }


def run_campaign(flags: argparse.Namespace) -> int:
    """Plays what the flags say; the exit code."""
    library = load()
    numbers = range(flags.count) if flags.only is None else [flags.only]
    combinations = [combine(library, flags.seed, number) for number in numbers]
    start = time.monotonic()
    played = asyncio.run(play_combinations(combinations, flags.jobs))
    figures = report(played, flags.seed, time.monotonic() - start)
    file = FOLDER / "faults.json"
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    failed = sum(bool(outcome.problems) for _, outcome in played)
    print(
        f"seed {flags.seed}: {len(played)} combinations of {figures['faults']} faults, "
        f"{figures['requests']} requests, {failed} failures, {figures['seconds']} s; "
        f"figures: {file.relative_to(ROOT)}"
    )
    return 1 if failed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    campaign = commands.add_parser("campaign", help="combinations drawn from a seed")
    campaign.add_argument("--count", type=int, default=100, help="how many; default %(default)s")
    campaign.add_argument("--seed", type=int, default=1, help="default %(default)s")
    campaign.add_argument("--only", type=int, metavar="NUMBER", help="just this one")
    play = commands.add_parser("play", help="single scenarios")
    play.add_argument("names", nargs="*", metavar="NAME", help="all without any")
    for command in (campaign, play):
        command.add_argument(
            "--jobs", type=int, default=12, help="runs at a time; default %(default)s"
        )
    return parser.parse_args()


def main() -> int:
    flags = parse()
    with only_one(FOLDER):
        if flags.command == "play":
            return asyncio.run(play_single(flags.names, flags.jobs))
        return run_campaign(flags)


if __name__ == "__main__":
    sys.exit(main())
