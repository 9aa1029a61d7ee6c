"""A slice of `./run soak stall`, and what it must find."""

import asyncio
from dataclasses import replace

import pytest
from plot import draw
from stall import MOST_MIB, READS, SLOW, STALLS, Plan, Result, measure

from meter import Sample

# A server that read on would have all rows in its memory, some 70 MB, before the stall ends.
PLAN = Plan(300_000, stall_seconds=3, slow_seconds=0.5, share_before=0.05, sample_seconds=0.2)
# What the server takes without any extraction, and what it may take for this one.
START_MIB, MORE_MIB = 40, 64


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return asyncio.run(measure(PLAN, tmp_path_factory.mktemp("stall")))


def test_a_reader_that_stops_and_goes_on_has_each_row_once(result: Result) -> None:
    assert result.rows == PLAN.users
    assert not result.problems()


def test_the_server_waits_with_what_it_had_when_the_reader_stopped(result: Result) -> None:
    stalled = result.of_phase(STALLS)
    assert stalled[-1].rows == stalled[0].rows < PLAN.users
    assert result.samples[0].rss_mib < START_MIB
    assert result.peak_mib() < result.samples[0].rss_mib + MORE_MIB


def made_up(rss_mib: float, descriptors: int, seconds: float, phase: str) -> Sample:
    return Sample(seconds, rss_mib, rss_mib, descriptors, 12, 100, phase)


GOOD = Result(
    Plan(100, stall_seconds=100, slow_seconds=10),
    rows=100,
    rows_summarized=100,
    status="COMPLETE",
    samples=[
        made_up(30, 10, 0, READS),
        made_up(90, 60, 50, READS),
        made_up(90, 60, 70, STALLS),
        made_up(90, 60, 170, STALLS),
        made_up(91, 60, 175, SLOW),
        made_up(88, 61, 200, READS),
    ],
)


def test_a_good_run_has_no_problems() -> None:
    assert not GOOD.problems()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (replace(GOOD, rows=99, rows_summarized=99), "99 rows came"),
        (replace(GOOD, repeated=1), "1 of them again"),
        (replace(GOOD, rows_summarized=99), "the summary says 99 rows"),
        (replace(GOOD, status="PARTIAL"), "the table is PARTIAL"),
        (replace(GOOD, samples=GOOD.samples[:2]), "was over before"),
        (
            replace(GOOD, samples=[*GOOD.samples, made_up(257, 60, 210, READS)]),
            "RSS was 257 MiB",
        ),
        (
            replace(GOOD, samples=[*GOOD.samples, made_up(130, 60, 210, READS)]),
            "after the first minute peak_mib went from 90 to 130",
        ),
        (
            replace(GOOD, samples=[*GOOD.samples, made_up(90, 90, 210, READS)]),
            "after the first minute descriptors went from 60 to 90",
        ),
        (
            replace(GOOD, samples=[*GOOD.samples, made_up(120, 60, 210, STALLS)]),
            "while the reader read nothing rss_mib went from 90 to 120",
        ),
    ],
)
def test_what_must_not_be_is_found(bad: Result, problem: str) -> None:
    assert any(problem in found for found in bad.problems()), bad.problems()


def test_the_plot_names_the_phases_and_the_bound() -> None:
    picture = draw("a title & more", GOOD.samples, MOST_MIB)
    for text in ("a title &amp; more", "reader reads nothing", "reader reads slowly", "256"):
        assert text in picture
