"""What a client makes of a stream, event by event; gRPC's streaming scenarios by name."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from conftest import available_drivers
from drivers import Driver, Request, Result, Running
from scripted import (
    LOST,
    UNKNOWN_EVENT,
    Call,
    Failure,
    ScriptedServer,
    checkpoint,
    progress,
    restarted,
    rows,
    summary,
)
from tables import read_rows

REQUEST = Request(tables=("tags", "companies"))
DELIVERIES = ("default", "at_least_once")
CANCEL_SECONDS = 5


def ids(result: Result, table: str) -> Counter[str | None]:
    return Counter(row["id"] for row in read_rows(result.output / f"{table}.csv"))


def once(*names: str) -> Counter[str | None]:
    return Counter(names)


@pytest.fixture(params=DELIVERIES)
def delivery(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


# gRPC's scenarios


def test_empty_stream(driver: Driver, tmp_path: Path, delivery: str) -> None:
    with ScriptedServer(Call([summary(tags=0, companies=0)])) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    assert result.rows == 0
    assert result.resume_token is None
    assert result.json["summary"]["elapsed"] == "2s"
    assert not ids(result, "tags")


def test_cancel_after_begin(driver: Driver, tmp_path: Path, delivery: str) -> None:
    with ScriptedServer(Call([progress()], holds=True)) as server:
        reader = driver.start(
            tmp_path / "run", server.address, REQUEST, stop_after_rows=0, delivery=delivery
        )
        reader.await_event("stopped")
        assert server.released.wait(CANCEL_SECONDS), "the call was not cancelled"
        assert reader.process.poll() is None
        result = reader.finish()
    assert result.error is None
    assert result.rows == 0
    assert len(server.requests) == 1


def test_cancel_after_first_response(driver: Driver, tmp_path: Path) -> None:
    events = [rows("tags", "1", "2"), checkpoint(1, tags=2), rows("tags", "3")]
    with ScriptedServer(Call(events, holds=True)) as server:
        reader = driver.start(tmp_path / "run", server.address, REQUEST, stop_after_rows=1)
        reader.await_event("stopped")
        assert server.released.wait(CANCEL_SECONDS), "the call was not cancelled"
        result = reader.finish()
    assert result.error is None
    assert ids(result, "tags") == once("1")
    # Its rows have not all been handed out.
    assert result.resume_token is None


def test_deadline_exceeded(driver: Driver, tmp_path: Path, delivery: str) -> None:
    with ScriptedServer(Call([progress()], holds=True)) as server:
        result = driver.run(
            tmp_path / "run", server.address, REQUEST, deadline_seconds=1, delivery=delivery
        )
        assert server.released.wait(CANCEL_SECONDS), "the call went on"
    assert result.error is not None
    assert result.error["code"] == "DEADLINE_EXCEEDED"
    assert result.seconds < 15


def test_the_deadline_counts_over_lost_connections(driver: Driver, tmp_path: Path) -> None:
    with ScriptedServer(Call([progress()], LOST), Call([progress()], holds=True)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, deadline_seconds=3)
        assert server.released.wait(CANCEL_SECONDS), "the call went on"
    assert result.error is not None
    assert result.error["code"] == "DEADLINE_EXCEEDED"
    assert server.times[1] - server.times[0] < 3


def test_large_message(driver: Driver, tmp_path: Path, delivery: str) -> None:
    large = rows("tags", "1")
    # Above gRPC's default of 4 MiB.
    large.row_batch.tags[0].name = "x" * (20 << 20)
    with ScriptedServer(Call([large, checkpoint(1, tags=1), summary(tags=1)])) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    (row,) = read_rows(result.output / "tags.csv")
    assert len(row["name"] or "") == 20 << 20


def test_an_event_that_nobody_knows_is_skipped(driver: Driver, tmp_path: Path) -> None:
    events = [UNKNOWN_EVENT, rows("tags", "1"), UNKNOWN_EVENT, checkpoint(1, tags=1), summary()]
    with ScriptedServer(Call(events)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST)
    assert result.error is None
    assert ids(result, "tags") == once("1")


# Lost connections

RECONNECTS = {
    "lost": LOST,
    "cancelled by the server": Failure(grpc.StatusCode.CANCELLED),
    "stopping": Failure(grpc.StatusCode.UNAVAILABLE, "SERVER_STOPPING", retry_seconds=30),
    "aged": Failure(grpc.StatusCode.UNAVAILABLE, "CONNECTION_AGE", retry_seconds=30),
}


@pytest.mark.parametrize("failure", RECONNECTS.values(), ids=RECONNECTS.keys())
def test_a_lost_connection_goes_on_from_the_last_checkpoint(
    driver: Driver, tmp_path: Path, failure: Failure, delivery: str
) -> None:
    first = [rows("tags", "1", "2"), checkpoint(1, tags=2), rows("tags", "3")]
    second = [rows("tags", "3", "4"), checkpoint(2, tags=2), summary(tags=4)]
    with ScriptedServer(Call(first, failure), Call(second)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    assert result.json["reconnects"] == 1
    assert result.json["checkpoints"] == 2
    assert result.resume_token == b"token 2"
    repeats = once("3") if delivery == "at_least_once" else once()
    assert ids(result, "tags") == once("1", "2", "3", "4") + repeats
    assert [request.resume_token for request in server.requests] == [b"", b"token 1"]
    assert list(server.requests[1].tables) == list(REQUEST.tables)
    # Up to half of the first second less; RetryInfo plays no part.
    assert 0.4 < server.times[1] - server.times[0] < 5


def test_a_connection_lost_before_the_first_checkpoint_begins_anew(
    driver: Driver, tmp_path: Path, delivery: str
) -> None:
    second = [rows("tags", "1", "2"), checkpoint(1, tags=2), summary(tags=2)]
    with ScriptedServer(Call([rows("tags", "1")], LOST), Call(second)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    repeats = once("1") if delivery == "at_least_once" else once()
    assert ids(result, "tags") == once("1", "2") + repeats
    assert [request.resume_token for request in server.requests] == [b"", b""]


FINAL = {
    "intercom is away": Failure(
        grpc.StatusCode.UNAVAILABLE, "INTERCOM_UNREACHABLE", {"connection": "default"}, 30
    ),
    "quota": Failure(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", {"connection": "default"}, 1.5
    ),
    "too large": Failure(grpc.StatusCode.RESOURCE_EXHAUSTED),
    "internal": Failure(grpc.StatusCode.INTERNAL),
    "resume token": Failure(grpc.StatusCode.FAILED_PRECONDITION, "RESUME_TOKEN_EXPIRED"),
}


@pytest.mark.parametrize("failure", FINAL.values(), ids=FINAL.keys())
def test_other_errors_are_the_callers(driver: Driver, tmp_path: Path, failure: Failure) -> None:
    events = [rows("tags", "1"), checkpoint(1, tags=1), rows("tags", "2")]
    with ScriptedServer(Call(events, failure), Call([summary()])) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST)
    assert result.error is not None
    assert result.error["code"] == failure.code.name
    assert result.error["reason"] == failure.reason
    assert result.error["metadata"] == failure.metadata
    assert result.error["retry_delay_seconds"] == failure.retry_seconds
    assert len(server.requests) == 1
    # What a checkpoint covers was handed out before the error, and can be continued from.
    assert ids(result, "tags") == once("1")
    assert result.resume_token == b"token 1"


@pytest.fixture(scope="module", autouse=True)
def hopeless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """Readers of servers that end every call; from the beginning, as it takes half a minute."""
    folder = tmp_path_factory.mktemp("hopeless")
    readers: dict[str, Running] = {}
    servers: dict[str, ScriptedServer] = {}
    for language, driver in available_drivers().items():
        server = ScriptedServer(*[Call([progress()], LOST)] * 10)
        servers[language] = server.__enter__()
        readers[language] = driver.start(folder / language, server.address, REQUEST)
    yield readers
    for reader in readers.values():
        reader.kill()
    for server in servers.values():
        server.__exit__(None, None, None)


def test_a_caller_token_is_shown_to_the_server(driver: Driver, tmp_path: Path) -> None:
    call = Call([summary()])
    with ScriptedServer(call, call, call, caller_token="opensesame") as server:
        right = driver.run(tmp_path / "right", server.address, REQUEST, token="opensesame")
        wrong = driver.run(tmp_path / "wrong", server.address, REQUEST, token="another")
        none = driver.run(tmp_path / "none", server.address, REQUEST)
    assert right.error is None
    assert "authorization" not in server.metadata[2]
    for refused in (wrong, none):
        assert refused.error is not None
        assert (refused.error["code"], refused.error["reason"]) == ("UNAUTHENTICATED", "")
        assert "another" not in str(refused.error)


# Tables that begin anew


def test_rows_held_back_are_dropped_when_their_table_begins_anew(
    driver: Driver, tmp_path: Path
) -> None:
    events = [
        rows("companies", "1", "2"),
        rows("tags", "1"),
        restarted("companies", 2),
        rows("companies", "2", "3", generation=2),
        checkpoint(1, generation=2, companies=2),
        summary(),
    ]
    # Each table has its own generation.
    events[4].checkpoint.rows.add(table="tags", rows=1, generation=1)
    with ScriptedServer(Call(events)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST)
    assert result.error is None
    assert ids(result, "companies") == once("2", "3")
    assert ids(result, "tags") == once("1")
    # Never handed out.
    assert result.json["rows"]["companies"] == 2


def test_a_restart_voids_rows_that_were_handed_out(
    driver: Driver, tmp_path: Path, delivery: str
) -> None:
    events = [
        rows("companies", "1", "2"),
        checkpoint(1, companies=2),
        rows("companies", "3"),
        restarted("companies", 2),
        # Late, and void.
        rows("companies", "4"),
        rows("companies", "5", generation=2),
        # Told twice.
        restarted("companies", 2),
        rows("companies", "6", generation=2),
        checkpoint(2, generation=2, companies=2),
        summary(),
    ]
    with ScriptedServer(Call(events)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    assert result.json["restarts"] == [{"table": "companies", "generation": 2}]
    assert ids(result, "companies") == once("5", "6")


def test_a_restart_that_no_checkpoint_covers_has_not_happened(
    driver: Driver, tmp_path: Path, delivery: str
) -> None:
    first = [
        rows("companies", "1", "2"),
        checkpoint(1, companies=2),
        restarted("companies", 2),
        rows("companies", "2", generation=2),
    ]
    # The next stream can go on where the checkpoint was, in the generation before.
    second = [rows("companies", "3"), checkpoint(2, companies=1), summary()]
    with ScriptedServer(Call(first, LOST), Call(second)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    assert result.json["restarts"] == []
    assert ids(result, "companies") == once("1", "2", "3")


def test_a_restart_is_told_again_by_the_stream_that_continues(
    driver: Driver, tmp_path: Path, delivery: str
) -> None:
    first = [
        rows("companies", "1", "2"),
        checkpoint(1, companies=2),
        restarted("companies", 2),
        rows("companies", "2", generation=2),
    ]
    second = [
        restarted("companies", 2),
        rows("companies", "2", "3", generation=2),
        checkpoint(2, generation=2, companies=2),
        summary(),
    ]
    with ScriptedServer(Call(first, LOST), Call(second)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUEST, delivery=delivery)
    assert result.error is None
    assert result.json["restarts"] == [{"table": "companies", "generation": 2}]
    assert ids(result, "companies") == once("2", "3")


# Broken promises

BROKEN = {
    "no summary": [rows("tags", "1"), checkpoint(1, tags=1)],
    "nothing at all": [],
    "a generation out of nowhere": [rows("tags", "1", generation=2), checkpoint(1), summary()],
    "a row too many": [rows("tags", "1", "2"), checkpoint(1, tags=1), summary()],
    "a row too few": [rows("tags", "1"), checkpoint(1, tags=2), summary()],
    "a table left out": [rows("tags", "1"), checkpoint(1), summary()],
    "a checkpoint of another generation": [
        restarted("tags", 2),
        rows("tags", "1", generation=2),
        checkpoint(1, tags=1),
        summary(),
    ],
    "a checkpoint twice": [
        rows("tags", "1"),
        checkpoint(1, tags=1),
        rows("tags", "2"),
        checkpoint(1, tags=1),
        summary(),
    ],
    "a checkpoint without a token": [
        rows("tags", "1"),
        checkpoint(1, token=b"", tags=1),
        summary(),
    ],
    "rows that no checkpoint covers": [rows("tags", "1"), summary()],
    "something after the summary": [summary(), progress()],
}


@pytest.mark.parametrize("events", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_stream_is_an_error(driver: Driver, tmp_path: Path, events: list[object]) -> None:
    with ScriptedServer(Call(events)) as server:  # type: ignore[arg-type]
        result = driver.run(tmp_path / "run", server.address, REQUEST)
    assert result.error is not None
    assert (result.error["code"], result.error["reason"]) == ("DATA_LOSS", "")
    assert len(server.requests) == 1


# Last, as it has taken a while.


def test_five_tries_in_a_row_are_enough(driver: Driver, hopeless: dict[str, Running]) -> None:
    result = hopeless[driver.language].finish()
    assert result.error is not None
    assert (result.error["code"], result.error["reason"]) == ("UNAVAILABLE", "")
    assert result.json["reconnects"] == 5
    # 1, 2, 4, 8 and 16 s, less up to half of it.
    assert 15 < result.seconds < 45
