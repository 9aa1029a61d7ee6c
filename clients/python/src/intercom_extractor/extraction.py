"""An extraction, read in a thread."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc

from intercom_extractor.delivery import Event
from intercom_extractor.errors import from_rpc_error
from intercom_extractor.rows import Batch, Row
from intercom_extractor.run import Run
from intercom_extractor.v1.extractor_service_pb2 import (
    ExtractRequest,
    Summary,
    TableDescription,
    TableRestarted,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from intercom_extractor.arrow import ArrowTables

StartCall = Callable[[ExtractRequest, float | None], Any]
Wait = Callable[[threading.Event, float], object]


class Extraction(Iterator[tuple[str, Row]]):
    """The rows of an extraction, each with the name of its table.

    Iterate over it once, or over `batches()` or `events()` instead. Rows come once their
    checkpoint has arrived, so that a connection that is lost and made again repeats none; with
    `at_least_once` they come at once. Reading slowly slows the extraction; nothing is dropped.

    For one thread; `close()` may be called from any. Leaving a `with` block closes, and so
    does dropping the last reference.
    """

    def __init__(
        self,
        run: Run,
        start_call: StartCall,
        describe: Callable[[], list[TableDescription]],
        wait: Wait = threading.Event.wait,
    ) -> None:
        self._run = run
        self._describe = describe
        self._stream = _Stream(run, start_call, wait)
        self._events = self._stream.events()
        self._batches = _batches(run, self._events)
        self._rows: Iterator[tuple[str, Row]] = chain.from_iterable(
            zip(repeat(batch.table), batch.rows) for batch in self._batches
        )

    @property
    def last_checkpoint(self) -> bytes | None:
        """The token that covers all rows up to the last checkpoint among those handed out:
        the `resume_token` of an extraction that goes on from there. To store rows and token
        together, read `events()` or give `on_checkpoint`."""
        return self._run.state.last_checkpoint

    @property
    def summary(self) -> Summary | None:
        """How it ended, table by table; None before the end."""
        return self._run.state.summary

    @property
    def reconnects(self) -> int:
        """How often the connection was lost and made again."""
        return self._run.state.reconnects

    def tables(self) -> list[TableDescription]:
        """The tables that it reads, with their columns; asks the server."""
        return self._describe()

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        # Not `self`: rows then pass without any Python code in between.
        return self._rows

    def __next__(self) -> tuple[str, Row]:
        return next(self._rows)

    def batches(self) -> Iterator[Batch]:
        """Rows as the server sent them: of one table, up to 1 MiB."""
        return self._batches

    def events(self) -> Iterator[Event]:
        """Everything: rows, checkpoints, restarts, progress, notices, deletions, the summary.

        Every event before a checkpoint is covered by its token.
        """
        return self._events

    def to_arrow(self, *, timestamps: bool = False) -> "Iterator[tuple[str, pa.RecordBatch]]":
        """Rows as pyarrow record batches, each with the name of its table.

        timestamps: columns of Unix seconds become timestamps in UTC. A table that begins anew
        is told as in `batches()`. Needs the extra "arrow".
        """
        from intercom_extractor import sinks

        return sinks.record_batches(self._batches, self._arrow_tables(timestamps))

    def to_arrow_tables(self, *, timestamps: bool = False) -> "dict[str, pa.Table]":
        """All rows in memory, by table; also tables without rows."""
        from intercom_extractor import sinks

        return sinks.arrow_tables(self._parts(), self._arrow_tables(timestamps))

    def to_pandas(self, *, timestamps: bool = False) -> "dict[str, pd.DataFrame]":
        """All rows in memory, by table, with Arrow's types, which have exact integers and
        nulls. Needs the extra "pandas"."""
        from intercom_extractor import sinks

        return sinks.data_frames(self._parts(), self._arrow_tables(timestamps))

    def to_parquet(
        self, folder: str | Path, *, timestamps: bool = False, compression: str = "zstd"
    ) -> dict[str, Path]:
        """Writes `<table>.parquet` into the folder; returns the files.

        They are written to `.partial` and moved into place at the end; one of a table that
        failed stays there (`summary` says why). Needs the extra "arrow".
        """
        from intercom_extractor import sinks

        return sinks.parquet_files(
            self._parts(),
            self._arrow_tables(timestamps),
            Path(folder),
            compression,
            lambda: self.summary,
        )

    def to_duckdb(self, path: str | Path, *, timestamps: bool = False) -> None:
        """Replaces the tables in a DuckDB database, in one transaction, but for those that
        failed (`summary` says why). Needs the extra "duckdb"."""
        from intercom_extractor import sinks

        sinks.duckdb_database(
            self._parts(), self._arrow_tables(timestamps), path, lambda: self.summary
        )

    def _arrow_tables(self, timestamps: bool) -> "ArrowTables":
        from intercom_extractor.arrow import ArrowTables

        return ArrowTables(self.tables(), timestamps=timestamps)

    def _parts(self) -> Iterator[Batch | TableRestarted]:
        for event in self._events:
            part = self._run.part_of(event)
            if part is not None:
                yield part

    def close(self) -> None:
        """Cancels what has not ended: the server stops asking Intercom. Iteration ends."""
        self._stream.close()
        # Says so: it is being read in another thread, which then ends it.
        with suppress(ValueError):
            self._events.close()

    def __enter__(self) -> "Extraction":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Stream:
    """The calls, one after the other. Does not know who reads it, so that it ends with them."""

    def __init__(self, run: Run, start_call: StartCall, wait: Wait) -> None:
        self._run = run
        self._start_call = start_call
        self._wait = wait
        self._closing = threading.Event()
        self._call: Any = None

    def close(self) -> None:
        self._run.closed = True
        self._closing.set()
        call = self._call
        if call is not None:
            call.cancel()

    def events(self) -> Generator[Event, None, None]:
        run = self._run
        while not run.closed:
            call = self._start_call(*run.begin())
            self._call = call
            try:
                if run.closed:
                    return
                for response in call:
                    events = deque(run.on_response(response))
                    while events:
                        # What the caller has done with is freed while the rest waits.
                        event = events.popleft()
                        run.note(event)
                        yield event
                        if run.closed:
                            return
                run.on_end()
                return
            except grpc.RpcError as rpc_error:
                if run.closed:
                    return
                seconds = run.on_error(from_rpc_error(rpc_error))
            finally:
                # Also where the caller takes no more, or the stream is broken.
                call.cancel()
            self._wait(self._closing, seconds)


def _batches(run: Run, events: Iterator[Event]) -> Iterator[Batch]:
    for event in events:
        batch = run.batch_of(event)
        if batch is not None:
            yield batch
