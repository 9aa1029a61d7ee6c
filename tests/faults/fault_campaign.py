"""What ./run soak faults does: extractions with several faults at once, and none loses a row."""

import argparse
import asyncio
import sys

from library import load
from play import Outcome, Stage
from programs import ROOT

FOLDER = ROOT / ".build/faults"
JOBS = 12


async def play_single(names: list[str]) -> int:
    """Plays scenarios of the library and prints what came of them."""
    scenarios = [scenario for scenario in load() if scenario.name in names or not names]
    unknown = set(names) - {scenario.name for scenario in scenarios}
    if unknown:
        print(f"no such scenario: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    failed = 0
    async for outcome in Stage(FOLDER / "play", JOBS).play_all(scenarios):
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


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run soak faults", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    play = commands.add_parser("play")
    play.add_argument("names", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(play_single(parse().names)))
