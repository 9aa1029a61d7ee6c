"""The campaign is of use only if it finds what goes wrong."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from campaign import wrong_rows
from compare_files import wrong_files
from intercom.extractor.v1 import extractor_service_pb2 as service
from proxy import Proxy
from raw_consumer import ANSWER_ROWS, INTERVAL_ROWS, RawConsumer

HEADER = b"id,name\n"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """What was extracted and what is expected: one table, equal but for the order."""
    output, expected = tmp_path / "output", tmp_path / "expected"
    for folder, rows in ((output, b"2,b\n1,a\n"), (expected, b"1,a\n2,b\n")):
        folder.mkdir()
        (folder / "tags.csv").write_bytes(HEADER + rows)
    return output, expected


def wrong_tags(folders: tuple[Path, Path]) -> str:
    return "\n".join(wrong_files(*folders, tables=["tags"]))


def test_the_order_of_rows_does_not_matter(folders: tuple[Path, Path]) -> None:
    assert not wrong_tags(folders)


def test_a_lost_row_is_found(folders: tuple[Path, Path]) -> None:
    (folders[0] / "tags.csv").write_bytes(HEADER + b"2,b\n")
    assert "1 rows are missing and 0 are too many of 2" in wrong_tags(folders)


def test_a_row_that_came_twice_is_found(folders: tuple[Path, Path]) -> None:
    (folders[0] / "tags.csv").write_bytes(HEADER + b"2,b\n1,a\n2,b\n")
    assert "0 rows are missing and 1 are too many of 2" in wrong_tags(folders)


def test_a_second_header_is_found(folders: tuple[Path, Path]) -> None:
    (folders[0] / "tags.csv").write_bytes(HEADER + b"2,b\n" + HEADER + b"1,a\n")
    assert "1 are too many" in wrong_tags(folders)


def test_a_missing_file_is_found(folders: tuple[Path, Path]) -> None:
    (folders[0] / "tags.csv").unlink()
    assert "missing files: {'tags.csv'}" in wrong_tags(folders)


def test_what_is_left_in_partial_is_found(folders: tuple[Path, Path]) -> None:
    (folders[0] / ".partial").mkdir()
    (folders[0] / ".partial/tags.csv").touch()
    assert "left in .partial: ['tags.csv']" in wrong_tags(folders)


class Stream:
    """A consumer, and events as the service would send them."""

    def __init__(self) -> None:
        self.consumer = RawConsumer()
        self.consumer.begin()
        self.number = 0

    def tags(self, *ids: str, generation: int = 1) -> None:
        batch = service.RowBatch(table="tags", generation=generation)
        for tag in ids:
            batch.tags.add(id=tag)
        self.consumer.on_event(service.ExtractResponse(row_batch=batch))

    def restart(self, generation: int) -> None:
        restarted = service.TableRestarted(table="tags", generation=generation)
        self.consumer.on_event(service.ExtractResponse(table_restarted=restarted))

    def checkpoint(self, rows: int, generation: int = 1) -> None:
        self.number += 1
        checkpoint = service.Checkpoint(number=self.number, resume_token=b"token")
        if rows:
            checkpoint.rows.add(table="tags", rows=rows, generation=generation)
        self.consumer.on_event(service.ExtractResponse(checkpoint=checkpoint))

    def summary(self, rows: int, generation: int = 1) -> None:
        summary = service.Summary()
        summary.tables.add(
            table="tags",
            rows=rows,
            generation=generation,
            status=service.TABLE_STATUS_COMPLETE,
        )
        self.consumer.on_event(service.ExtractResponse(summary=summary))

    def cut(self) -> None:
        self.consumer.end()
        self.consumer.begin()

    def rows(self) -> int:
        return self.consumer.rows().get("tags", Counter()).total()


def test_rows_after_the_last_checkpoint_are_dropped_and_come_again() -> None:
    stream = Stream()
    stream.tags("1", "2")
    stream.checkpoint(2)
    stream.tags("3")
    stream.cut()
    assert (stream.rows(), stream.consumer.rows_dropped) == (2, 1)
    stream.tags("3")
    stream.checkpoint(1)
    stream.summary(3)
    assert (stream.rows(), stream.consumer.broken_promises) == (3, [])
    assert not stream.consumer.too_many(stream.consumer.rows())


def test_a_generation_that_is_announced_voids_the_one_before() -> None:
    stream = Stream()
    stream.tags("1", "2")
    stream.checkpoint(2)
    stream.cut()
    stream.restart(2)
    stream.tags("1", "2", generation=2)
    stream.checkpoint(2, generation=2)
    stream.summary(2, generation=2)
    assert (stream.rows(), stream.consumer.broken_promises) == (2, [])
    assert not stream.consumer.too_many(stream.consumer.rows())


def test_a_row_that_comes_again_without_a_break_is_too_many() -> None:
    stream = Stream()
    stream.tags("1")
    stream.checkpoint(1)
    truth = {name: rows.copy() for name, rows in stream.consumer.rows().items()}
    stream.tags("1")
    stream.checkpoint(1)
    assert "1 rows of generation 1 came again" in stream.consumer.too_many(truth)[0]
    assert "0 rows are missing and 1 are too many" in wrong_rows(stream.consumer.rows(), truth)[0]


def test_a_lost_row_of_the_stream_is_found() -> None:
    stream = Stream()
    stream.tags("1", "2")
    stream.checkpoint(2)
    truth = stream.consumer.rows()
    assert "2 rows are missing" in wrong_rows({}, truth)[0]


def test_too_many_rows_without_a_checkpoint_are_found() -> None:
    stream = Stream()
    stream.tags(*map(str, range(INTERVAL_ROWS + ANSWER_ROWS + 1)))
    assert "rows without a checkpoint" in stream.consumer.too_many({"tags": Counter()})[-1]


@pytest.mark.parametrize(
    ("counted", "promise"),
    [(1, "a checkpoint counts"), (3, "a checkpoint counts")],
)
def test_a_checkpoint_that_counts_wrong_is_found(counted: int, promise: str) -> None:
    stream = Stream()
    stream.tags("1", "2")
    stream.checkpoint(counted)
    assert promise in stream.consumer.broken_promises[0]


def test_rows_of_a_generation_that_was_not_announced_are_found() -> None:
    stream = Stream()
    stream.tags("1", generation=2)
    assert "rows of generation 2 in 1" in stream.consumer.broken_promises[0]


def test_rows_that_no_checkpoint_covers_are_found() -> None:
    stream = Stream()
    stream.tags("1")
    stream.summary(1)
    assert "rows after the last checkpoint" in stream.consumer.broken_promises[0]


def test_the_proxy_counts_stalls_and_cuts() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async def play() -> None:
        target = await asyncio.start_server(echo, "127.0.0.1", 0)
        progress = []
        proxy = Proxy(target.sockets[0].getsockname()[1], lambda: progress.append(1))
        await proxy.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"GET / HTTP/1.1\r\n")
        assert await reader.readline() == b"GET / HTTP/1.1\r\n"
        assert (proxy.requests, proxy.bytes_back, bool(progress)) == (1, 16, True)

        proxy.stall()
        writer.write(b"later\n")
        answer = asyncio.create_task(reader.readline())
        done, _ = await asyncio.wait([answer], timeout=0.05)
        assert not done
        proxy.flow()
        assert await answer == b"later\n"

        proxy.cut()
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        # New connections are welcome.
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"again\n")
        assert await reader.readline() == b"again\n"
        writer.close()
        await proxy.stop()
        target.close()

    asyncio.run(play())
