"""Servers that die, stop or age while a client reads.

These take long by their nature: they wait for checkpoints, which come every five seconds. All
that are wanted, of all languages, are played in the background from the beginning.
"""

import base64
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from conftest import available
from drivers import Driver, Request, Result
from programs import Fake, running_fake, write_expected
from records import assert_equal, records, repeated
from server import Server, running

AT_A_TIME = 8
# Rows leave the server with the next checkpoint, or after a second: only a slow extraction has
# rows at its reader that no checkpoint covers yet. The company scroll of a killed server is
# free after a moment, not after Intercom's minute.
WORKSPACE = (
    "--users=100",
    "--leads=40",
    "--companies=120",
    "--conversations=500",
    "--quota=45/500ms",
    "--scroll-ttl-ms=1500",
)
# A checkpoint comes after so many rows, exceeded by at most what one answer gives: a page of
# contacts with their tags, companies and social profiles, or a conversation of 500 parts.
INTERVAL_ROWS = 5_000
ANSWER_ROWS = 4_000
# At that pace some two seconds, of the five until the next checkpoint.
REQUESTS_AFTER_CHECKPOINT = 180
MOST_ATTEMPTS = 4

# The configuration allows no less than a minute.
AGE_SETTINGS = "max_connection_age: 1m\nmax_connection_age_grace: 10s\n"
# No table that could not be continued in mid-list.
AGED_TABLES = ("leads", "conversations", "conversation_parts")
AGED_WORKSPACE = (
    "--users=0",
    "--leads=100",
    "--companies=0",
    "--conversations=650",
    "--quota=50/5s",
)
# Of which no row repeats another, and which go on where they stood.
CONTINUED_TABLES = ("users", "users_tags", "conversations", "conversation_parts")

Play = Callable[[Driver, Path], list[Result]]


@contextmanager
def started(
    folder: Path, workspace: tuple[str, ...], settings: str
) -> Iterator[tuple[Fake, Server]]:
    """Of one scenario alone, as the quota is."""
    folder.mkdir()
    with running_fake(folder / "fake.log", *workspace) as fake:
        server = Server(folder / "server", fake.base_url, settings=settings)
        with running(server):
            yield fake, server


def end_server(driver: Driver, folder: Path, number: signal.Signals, delivery: str) -> list[Result]:
    """Ends the server in mid-stream, with rows on their way that no checkpoint covers."""
    with started(folder, WORKSPACE, "") as (fake, server):
        reader = driver.start(folder / "run", server.address, delivery=delivery)
        reader.await_event("checkpoint")
        answered = fake.stats()["total"]
        while fake.stats()["total"] < answered + REQUESTS_AFTER_CHECKPOINT:
            assert reader.process.poll() is None, "it ended before the server could"
        server.end(number)
        server.start()
        return [reader.finish()]


def end_server_until_rows_repeat(driver: Driver, folder: Path) -> list[Result]:
    """When rows leave the server is its own affair: it may die when none are on their way."""
    folder.mkdir()
    for attempt in range(MOST_ATTEMPTS):
        played = end_server(driver, folder / str(attempt), signal.SIGKILL, "at_least_once")
        (result,) = played
        summary = result.json["summary"] or {"tables": []}
        if result.rows > sum(int(table.get("rows", 0)) for table in summary["tables"]):
            break
    return played


def continue_elsewhere(driver: Driver, folder: Path) -> list[Result]:
    """Stops at a checkpoint and goes on in another process."""
    with started(folder, WORKSPACE, "") as (_, server):
        request = Request(tables=CONTINUED_TABLES)
        first = driver.run(folder / "first", server.address, request, stop_after_checkpoints=1)
        assert first.resume_token
        token = base64.b64encode(first.resume_token).decode()
        request = Request(tables=CONTINUED_TABLES, resume_token=token)
        return [first, driver.run(folder / "second", server.address, request)]


def outlive_connections(driver: Driver, folder: Path) -> list[Result]:
    with started(folder, AGED_WORKSPACE, AGE_SETTINGS) as (_, server):
        return [driver.run(folder / "run", server.address, Request(tables=AGED_TABLES))]


@pytest.fixture
def play(
    request: pytest.FixtureRequest, driver: Driver, played: dict[str, "Future[list[Result]]"]
) -> list[Result]:
    return played[request.node.nodeid].result()


# By the name of its test and the rest of its parameters.
PLAYS: dict[str, Play] = {
    "test_the_maximum_age_of_connections_is_no_end": outlive_connections,
    "test_a_server_that_comes_back_loses_and_repeats_nothing SIGKILL": partial(
        end_server, number=signal.SIGKILL, delivery="default"
    ),
    "test_a_server_that_comes_back_loses_and_repeats_nothing SIGTERM": partial(
        end_server, number=signal.SIGTERM, delivery="default"
    ),
    "test_at_least_once_repeats_at_most_an_interval_when_the_server_is_killed": (
        end_server_until_rows_repeat
    ),
    "test_a_checkpoint_that_the_caller_kept_continues_in_another_process": continue_elsewhere,
}


@pytest.fixture(scope="module", autouse=True)
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, "Future[list[Result]]"]]:
    """By the id of the test."""
    folder = tmp_path_factory.mktemp("played")
    futures: dict[str, Future[list[Result]]] = {}
    drivers: list[Driver] = []
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        wanted = [item for item in request.session.items if item.path == request.path]
        assert all(isinstance(item, pytest.Function) for item in wanted)
        for name, play in PLAYS.items():
            for number, item in enumerate(wanted):
                assert isinstance(item, pytest.Function)
                parameters = item.callspec.params
                if f"{item.originalname} {parameters.get('number', '')}".strip() != name:
                    continue
                if isinstance(available(parameters["driver"]), Driver):
                    driver = Driver(parameters["driver"])
                    drivers.append(driver)
                    place = folder / f"{parameters['driver']}-{number}"
                    futures[item.nodeid] = pool.submit(play, driver, place)
        yield futures
        pool.shutdown(wait=False, cancel_futures=True)
        for driver in drivers:
            driver.kill_all()


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_expected(tmp_path_factory.mktemp("expected"), *WORKSPACE)


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
def test_a_server_that_comes_back_loses_and_repeats_nothing(
    play: list[Result], truth: Path, number: str
) -> None:
    (result,) = play
    assert result.error is None
    assert result.json["reconnects"] > 0
    assert_equal(result.output, truth)


def test_at_least_once_repeats_at_most_an_interval_when_the_server_is_killed(
    play: list[Result], truth: Path
) -> None:
    (result,) = play
    assert result.error is None
    assert result.json["reconnects"] > 0
    again = repeated(result.output, truth)
    assert again, "no row was on its way: the test shows nothing"
    assert again.total() <= (INTERVAL_ROWS + ANSWER_ROWS) * result.json["reconnects"], again


def test_a_checkpoint_that_the_caller_kept_continues_in_another_process(
    play: list[Result], truth: Path
) -> None:
    first, second = play
    assert first.error is None
    assert first.json["summary"] is None
    assert first.rows > 0
    assert second.error is None
    assert second.json["restarts"] == []
    assert second.json["rows"]["conversation_parts"] > 0
    for table in CONTINUED_TABLES:
        both: Counter[object] = Counter()
        for result in play:
            both.update(records(result.output, table))
        assert both == records(truth, table), table


def test_the_maximum_age_of_connections_is_no_end(play: list[Result], tmp_path: Path) -> None:
    (result,) = play
    assert result.error is None
    assert result.seconds > 60
    assert result.json["reconnects"] > 0
    assert result.json["restarts"] == []
    expected = write_expected(tmp_path / "expected", *AGED_WORKSPACE)
    assert_equal(result.output, expected, AGED_TABLES)
