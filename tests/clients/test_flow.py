"""Readers that are slow, or have enough."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import Driver, Request
from programs import Fake, running_fake
from server import Server, running

# More than all buffers between Intercom and the reader hold.
LARGE = (
    "--users=0",
    "--leads=0",
    "--companies=0",
    "--conversations=12000",
    "--parts-per-conversation=40",
)
REQUEST = Request(template="conversations")
# The server's bound is 256 MiB for ten million rows; this workspace is smaller than that.
MOST_MIB_GROWN = 8.0
MOST_MIB = 200.0


@pytest.fixture(scope="module")
def large_fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with running_fake(tmp_path_factory.mktemp("fake") / "log", *LARGE) as started:
        yield started


@pytest.fixture
def large_server(large_fake: Fake, tmp_path: Path) -> Iterator[Server]:
    with running(Server(tmp_path / "server", large_fake.base_url)) as started:
        yield started


def requests_until_silence(fake: Fake, most_seconds: float) -> int:
    """How many there were when a second had passed without one."""
    deadline = time.monotonic() + most_seconds
    total, since = fake.stats()["total"], time.monotonic()
    while time.monotonic() < since + 1.0:
        assert time.monotonic() < deadline, "Intercom is still being asked"
        now = fake.stats()["total"]
        if now != total:
            total, since = now, time.monotonic()
    return total


def test_a_reader_that_pauses_stops_the_requests_and_the_servers_memory(
    driver: Driver, large_fake: Fake, large_server: Server, tmp_path: Path
) -> None:
    before = large_fake.stats()["total"]
    reader = driver.start(
        tmp_path / "run",
        large_server.address,
        REQUEST,
        pause={"after_rows": 100, "seconds": 12},
        stop_after_rows=20_000,
    )
    reader.await_event("paused")
    asked = requests_until_silence(large_fake, 9.0) - before
    assert asked < 12_000, "all of it was read: the workspace is too small for this test"
    held = large_server.look().rss_mib
    reader.await_event("resumed")
    assert large_server.look().peak_mib < MOST_MIB
    assert large_server.look().rss_mib - held < MOST_MIB_GROWN
    reader.await_event("stopped")
    result = reader.finish()
    assert result.error is None
    # It went on where it stood.
    assert result.rows == 20_000


def test_cancelling_after_the_first_row_stops_the_requests(
    driver: Driver, large_fake: Fake, large_server: Server, tmp_path: Path
) -> None:
    before = large_fake.stats()["total"]
    reader = driver.start(tmp_path / "run", large_server.address, REQUEST, stop_after_rows=1)
    reader.await_event("stopped")
    # The connection is still open: the cancelled call alone stops them.
    asked = requests_until_silence(large_fake, 3.0) - before
    assert reader.process.poll() is None
    assert 0 < asked < 12_000
    result = reader.finish()
    assert result.error is None
    assert result.rows == 1
    assert result.json["summary"] is None
