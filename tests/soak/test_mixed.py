"""A slice of `./run soak --minutes N`, and what it must find."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from mixed_load import Load, MixedLoad
from mixed_plan import RESTARTED, STEADY, Client, visit
from mixed_plot import draw
from mixed_verdict import Block, Counts, FirstRow
from scenario import WORKSPACES

from meter import Sample

SLICE = Load(seed=7, seconds=15, clients=6, workspaces=("even", "faults", "changes"))


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Block:
    return asyncio.run(MixedLoad(SLICE, tmp_path_factory.mktemp("mixed") / "load").run())


def test_what_is_read_beside_kills_and_faults_has_each_row_once(block: Block) -> None:
    # Nothing about memory: all of it is warm-up.
    assert not block.wrong
    assert (block.rows_lost, block.rows_extra) == (0, 0)
    assert sum(block.complete.values()) >= SLICE.clients
    assert block.rows_compared > 10_000


def test_the_long_lived_server_is_looked_at_each_second(block: Block) -> None:
    assert len(block.samples) == len(block.counts) >= SLICE.seconds - 5
    assert block.counts[-1].streams > block.counts[0].streams
    assert block.counts[-1].rows > block.counts[0].rows
    assert len(block.first_rows) > SLICE.seconds


def test_the_plan_has_every_client_and_both_servers() -> None:
    visits = [visit(1, number, tuple(WORKSPACES)) for number in range(300)]
    assert {each.client for each in visits} == set(Client)
    assert {each.server for each in visits} == {STEADY, RESTARTED}
    assert {each.workspace for each in visits} == set(WORKSPACES)
    assert visits == [visit(1, number, tuple(WORKSPACES)) for number in range(300)]
    assert visits != [visit(2, number, tuple(WORKSPACES)) for number in range(300)]


# What a block of half an hour shows, made up.

SECONDS = 1800


def made_up(rss_mib: float, descriptors: int = 300, threads: int = 25) -> Sample:
    return Sample(0, rss_mib, rss_mib, descriptors, threads, 0, "")


def series(*parts: Sample) -> list[Sample]:
    """Noisy, from the first of them to the last at equal distances."""
    found = []
    for second in range(SECONDS):
        at = second / SECONDS * (len(parts) - 1)
        early, late, share = parts[int(at)], parts[math.ceil(at)], at - int(at)
        noise = 10 * math.sin(second)
        found.append(
            replace(
                early,
                seconds=float(second),
                rss_mib=early.rss_mib + share * (late.rss_mib - early.rss_mib) + noise,
                descriptors=round(
                    early.descriptors + share * (late.descriptors - early.descriptors) + 5 * noise
                ),
                threads=round(early.threads + share * (late.threads - early.threads) + noise / 5),
            )
        )
    return found


def first_rows(*seconds: float) -> list[FirstRow]:
    """Two a second, each hundredth of which takes ten times as long."""
    return [
        FirstRow(at / 2, seconds[at * len(seconds) // (2 * SECONDS)] * (10 if at % 50 == 0 else 1))
        for at in range(2 * SECONDS)
    ]


GOOD = Block(
    seed=1,
    seconds=SECONDS,
    # It warms up, then stays.
    samples=series(made_up(60), *[made_up(150)] * 9),
    counts=[Counts(rows=second) for second in range(SECONDS)],
    first_rows=first_rows(0.05),
    complete={"a client": 10},
    rows_compared=1000,
)


def test_a_good_block_has_no_problems() -> None:
    assert not GOOD.problems()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (replace(GOOD, rows_lost=1), "1 rows were lost, 0 are too many"),
        (replace(GOOD, rows_extra=1), "0 rows were lost, 1 are too many"),
        (replace(GOOD, complete={}), "no extraction was compared"),
        (replace(GOOD, wrong=["the long-lived server has ended"]), "has ended"),
        # 60 MiB an hour.
        (replace(GOOD, samples=series(made_up(150), made_up(182))), "rss_mib"),
        # One for each hundred streams, say.
        (
            replace(GOOD, samples=series(made_up(150), made_up(150, descriptors=330))),
            "descriptors",
        ),
        (replace(GOOD, samples=series(made_up(150), made_up(150, threads=35))), "threads"),
        (replace(GOOD, first_rows=first_rows(0.05, 0.05, 0.05, 0.11)), "p99 of the first rows"),
    ],
)
def test_what_must_not_be_is_found(bad: Block, problem: str) -> None:
    assert len(bad.problems()) == 1
    assert problem in bad.problems()[0]


def test_a_burst_is_no_rise() -> None:
    samples = [
        replace(sample, rss_mib=sample.rss_mib + (200 if 1500 < sample.seconds < 1600 else 0))
        for sample in GOOD.samples
    ]
    assert not replace(GOOD, samples=samples).problems()


def test_the_figures_have_tenths_and_the_slopes() -> None:
    figures = replace(GOOD, samples=series(made_up(150), made_up(182))).figures()
    server, first_row = figures["long_lived_server"], figures["first_row"]
    assert isinstance(server, dict)
    assert isinstance(first_row, dict)
    assert server["rss_mib"]["per_hour"] == pytest.approx(64, abs=3)
    assert len(first_row["tenths"]) == 10
    assert first_row["tenths"][3]["p50_ms"] == 50
    assert first_row["tenths"][3]["p99_ms"] == 500


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    picture = draw(GOOD)
    ElementTree.fromstring(picture)
    for text in ("RSS of the long-lived server", "its descriptors", "0 rows lost", "minutes"):
        assert text in picture
