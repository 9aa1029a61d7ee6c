"""Servers that die, stop or age while a client reads."""

import base64
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import available_drivers
from drivers import Driver, Request, Result, Running
from programs import Fake, running_fake, write_expected
from records import assert_equal, records, repeated
from server import Server, running

# Some seconds long, with rows in between that no checkpoint covers yet: each list is slow. The
# company scroll of a killed server is free after a moment, not after Intercom's minute.
WORKSPACE = (
    "--users=900",
    "--leads=300",
    "--companies=300",
    "--conversations=400",
    "--latency-ms=60",
    "--scroll-ttl-ms=1500",
)
# A checkpoint comes after so many rows, exceeded by at most what one answer gives: a page of
# contacts with their tags, companies and social profiles, or a conversation of 500 parts.
INTERVAL_ROWS = 5_000
ANSWER_ROWS = 4_000
REQUESTS_AFTER_CHECKPOINT = 200


@pytest.fixture(scope="module")
def slow_fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with running_fake(tmp_path_factory.mktemp("fake") / "log", *WORKSPACE) as started:
        yield started


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_expected(tmp_path_factory.mktemp("expected"), *WORKSPACE)


@pytest.fixture
def own_server(slow_fake: Fake, tmp_path: Path) -> Iterator[Server]:
    with running(Server(tmp_path / "server", slow_fake.base_url)) as started:
        yield started


def restart_after_checkpoint(
    reader: Running, fake: Fake, server: Server, number: signal.Signals
) -> Result:
    """Ends the server in mid-stream, with rows on their way that no checkpoint covers."""
    reader.await_event("checkpoint")
    answered = fake.stats()["total"]
    while fake.stats()["total"] < answered + REQUESTS_AFTER_CHECKPOINT:
        assert reader.process.poll() is None, "it ended before the server could"
    server.end(number)
    server.start()
    return reader.finish()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_server_that_ends_and_comes_back_loses_and_repeats_nothing(
    driver: Driver,
    slow_fake: Fake,
    own_server: Server,
    truth: Path,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    reader = driver.start(tmp_path / "run", own_server.address)
    result = restart_after_checkpoint(reader, slow_fake, own_server, number)
    assert result.error is None
    assert result.json["reconnects"] > 0
    assert_equal(result.output, truth)


def test_at_least_once_repeats_at_most_an_interval_when_the_server_is_killed(
    driver: Driver, slow_fake: Fake, own_server: Server, truth: Path, tmp_path: Path
) -> None:
    reader = driver.start(tmp_path / "run", own_server.address, delivery="at_least_once")
    result = restart_after_checkpoint(reader, slow_fake, own_server, signal.SIGKILL)
    assert result.error is None
    assert result.json["reconnects"] > 0
    again = repeated(result.output, truth)
    assert again.total() <= (INTERVAL_ROWS + ANSWER_ROWS) * result.json["reconnects"], again


def test_a_checkpoint_that_the_caller_kept_continues_in_another_process(
    driver: Driver, own_server: Server, truth: Path, tmp_path: Path
) -> None:
    # Two streams with one company scroll each would wait for one another.
    request = Request(tables=("users", "users_tags", "conversations", "conversation_parts"))
    first = driver.run(tmp_path / "first", own_server.address, request, stop_after_checkpoints=1)
    assert first.error is None
    assert first.resume_token
    assert first.json["summary"] is None
    assert first.rows > 0
    token = base64.b64encode(first.resume_token).decode()
    second = driver.run(
        tmp_path / "second",
        own_server.address,
        Request(tables=request.tables, resume_token=token),
    )
    assert second.error is None
    assert second.json["restarts"] == []
    assert second.json["rows"]["conversation_parts"] > 0
    for table in request.tables:
        both: Counter[object] = Counter()
        for result in (first, second):
            both.update(records(result.output, table))
        assert both == records(truth, table), table


# The configuration allows no less than a minute: all languages go through it at once.
AGE_SETTINGS = "max_connection_age: 1m\nmax_connection_age_grace: 10s\n"
# What takes longer than that. No table that could not be continued in mid-list.
AGED_TABLES = ("leads", "conversations", "conversation_parts")
AGED_WORKSPACE = (
    "--users=0",
    "--leads=100",
    "--companies=0",
    "--conversations=650",
    "--quota=50/5s",
)


# From the beginning: what takes a minute takes it beside the other tests.
@pytest.fixture(scope="module", autouse=True)
def aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Running], Path]]:
    folder = tmp_path_factory.mktemp("aged")
    expected = write_expected(folder / "expected", *AGED_WORKSPACE)
    drivers = available_drivers()
    readers = {}
    servers = []
    fakes = []
    try:
        for language, driver in drivers.items():
            # The quota is each language's own.
            fake = running_fake(folder / f"{language}.log", *AGED_WORKSPACE)
            base_url = fake.__enter__().base_url
            fakes.append(fake)
            server = running(Server(folder / f"{language}-server", base_url, settings=AGE_SETTINGS))
            address = server.__enter__().address
            servers.append(server)
            request = Request(tables=AGED_TABLES)
            readers[language] = driver.start(folder / language, address, request)
        yield readers, expected
    finally:
        for reader in readers.values():
            reader.kill()
        for manager in (*servers, *fakes):
            manager.__exit__(None, None, None)


def test_the_maximum_age_of_connections_is_no_end(
    driver: Driver, aged: tuple[dict[str, Running], Path]
) -> None:
    readers, expected = aged
    result = readers[driver.language].finish()
    assert result.error is None
    assert result.seconds > 60
    assert result.json["reconnects"] > 0
    assert result.json["restarts"] == []
    assert_equal(result.output, expected, AGED_TABLES)
