"""A seeded slice of the kill campaign, as `./run soak kill --seed 1 --runs 30` runs it."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from campaign import Campaign, Outcome
from scenario import STOP_COUNT, STOPS, Kind, Reader, Scenario, killed, stopped_often

SEED = 1
RUNS = 30
JOBS = 12

SLICE = [killed(SEED, run) for run in range(RUNS)]
STOPPED = [stopped_often(SEED, run) for run in range(len(STOPS))]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Scenario, Outcome]:
    """All runs, several at a time: most of what each does is wait."""

    async def play(folder: Path) -> dict[Scenario, Outcome]:
        # The long ones first.
        running = Campaign(folder, JOBS).run_all([*STOPPED, *SLICE])
        return {outcome.scenario: outcome async for outcome in running}

    return asyncio.run(play(tmp_path_factory.mktemp("campaign")))


@pytest.mark.parametrize("scenario", SLICE, ids=lambda scenario: f"run {scenario.run}")
def test_what_was_broken_and_resumed_has_each_row_once(
    outcomes: Mapping[Scenario, Outcome], scenario: Scenario
) -> None:
    outcome = outcomes[scenario]
    assert not outcome.problems, outcome.message()


@pytest.mark.parametrize("scenario", STOPPED, ids=lambda scenario: scenario.reader.value)
def test_what_sigterm_ended_20_times_has_each_row_once(
    outcomes: Mapping[Scenario, Outcome], scenario: Scenario
) -> None:
    outcome = outcomes[scenario]
    assert not outcome.problems, outcome.message()
    assert outcome.done.total() == STOP_COUNT, outcome.done


def test_the_slice_has_every_reader_and_every_disturbance(
    outcomes: Mapping[Scenario, Outcome],
) -> None:
    done: Counter[Kind] = Counter()
    for scenario in SLICE:
        done += outcomes[scenario].done
    assert set(done) == set(Kind)
    assert {scenario.reader for scenario in SLICE} == set(Reader)
