"""A seeded slice of the campaign, as `./run soak faults --seed 1 --count 20` runs it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from combinations import Combination, combine
from fault_campaign import message
from library import load
from play import Outcome, Stage

SEED = 1
COUNT = 20
JOBS = 12

LIBRARY = load()
SLICE = [combine(LIBRARY, SEED, number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    async def play(folder: Path) -> dict[str, Outcome]:
        played = Stage(folder, JOBS).play_all([each.scenario for each in SLICE])
        return {outcome.scenario.name: outcome async for outcome in played}

    return asyncio.run(play(tmp_path_factory.mktemp("combinations")))


@pytest.mark.parametrize("combination", SLICE, ids=lambda each: f"number {each.number}")
def test_several_faults_at_once_lose_nothing(
    outcomes: Mapping[str, Outcome], combination: Combination
) -> None:
    outcome = outcomes[combination.scenario.name]
    assert not outcome.problems, message(combination, outcome)


def test_the_same_seed_gives_the_same_combination() -> None:
    again = combine(LIBRARY, SEED, 3)
    assert again == SLICE[3]
    assert again != combine(LIBRARY, SEED + 1, 3)
