"""Every scenario of the library, against a full extraction."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from library import Scenario, load
from play import Outcome, Stage

# Most of what each does is wait.
JOBS = 12
SCENARIOS = load()


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Outcome]:
    """Of those that are asked for, several at a time."""
    wanted = {
        item.callspec.params["scenario"].name
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    }

    async def play(folder: Path) -> dict[str, Outcome]:
        # The long ones first.
        chosen = [scenario for scenario in SCENARIOS if scenario.name in wanted]
        chosen.sort(key=lambda scenario: -scenario.expect.seconds)
        played = Stage(folder, JOBS).play_all(chosen)
        return {outcome.scenario.name: outcome async for outcome in played}

    return asyncio.run(play(tmp_path_factory.mktemp("scenarios")))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_what_goes_wrong_has_the_outcome_that_is_written(
    outcomes: Mapping[str, Outcome], scenario: Scenario
) -> None:
    outcome = outcomes[scenario.name]
    assert not outcome.problems, outcome.message()
