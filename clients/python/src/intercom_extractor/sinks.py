"""Whole extractions as Arrow tables, data frames, Parquet files or a DuckDB database."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from intercom_extractor.arrow import ArrowTables
from intercom_extractor.rows import Batch
from intercom_extractor.v1.extractor_service_pb2 import (
    TABLE_STATUS_FAILED,
    Summary,
    TableRestarted,
)

if TYPE_CHECKING:
    import pandas as pd

# Readers of Parquet like groups of many rows, writers of it hold one of each table.
GROUP_ROWS = 100_000
GROUP_BYTES = 32 << 20

Parts = Iterable[Batch | TableRestarted]


def record_batches(parts: Iterable[Batch], tables: ArrowTables) -> Iterator[tuple[str, Any]]:
    for batch in parts:
        yield batch.table, tables.record_batch(batch)


def arrow_tables(parts: Parts, tables: ArrowTables) -> dict[str, Any]:
    batches: dict[str, list[Any]] = {name: [] for name in tables.schemas}
    for part in parts:
        if isinstance(part, TableRestarted):
            batches[part.table].clear()
        else:
            batches[part.table].append(tables.record_batch(part))
    return {
        name: pa.Table.from_batches(batches[name], schema=schema)
        for name, schema in tables.schemas.items()
    }


def data_frames(parts: Parts, tables: ArrowTables) -> "dict[str, pd.DataFrame]":
    import pandas as pd

    # Other types have no null but in floating point numbers, which round large integers.
    return {
        name: table.to_pandas(types_mapper=pd.ArrowDtype)
        for name, table in arrow_tables(parts, tables).items()
    }


class _ParquetFile:
    """One table; unfinished until it is moved into place."""

    def __init__(self, path: Path, schema: Any, compression: str) -> None:
        self._path = path
        self._unfinished = path.parent / ".partial" / path.name
        self._schema = schema
        self._compression = compression
        self._writer: Any = None
        self.restart()

    def restart(self) -> None:
        import pyarrow.parquet as pq

        if self._writer is not None:
            self._writer.close()
        self._writer = pq.ParquetWriter(
            self._unfinished, self._schema, compression=self._compression
        )
        self._pending: list[Any] = []
        self._rows = self._bytes = 0

    def write(self, batch: Any) -> None:
        self._pending.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            group = pa.Table.from_batches(self._pending, schema=self._schema)
            self._writer.write_table(group, row_group_size=max(1, self._rows))
        self._pending.clear()
        self._rows = self._bytes = 0

    def close(self, *, whole: bool) -> None:
        if whole:
            self._flush()
        self._writer.close()

    def move(self) -> Path:
        self._unfinished.replace(self._path)
        return self._path


def parquet_files(
    parts: Parts,
    tables: ArrowTables,
    folder: Path,
    compression: str,
    summary: Callable[[], Summary | None],
) -> dict[str, Path]:
    unfinished = folder / ".partial"
    unfinished.mkdir(parents=True, exist_ok=True)
    files = {
        name: _ParquetFile(folder / f"{name}.parquet", schema, compression)
        for name, schema in tables.schemas.items()
    }
    whole = False
    try:
        for part in parts:
            if isinstance(part, TableRestarted):
                files[part.table].restart()
            else:
                files[part.table].write(tables.record_batch(part))
        whole = True
    finally:
        for file in files.values():
            file.close(whole=whole)
    # What came of a table that failed must not replace a good file.
    failed = _failed_tables(summary())
    moved = {name: file.move() for name, file in files.items() if name not in failed}
    with suppress(OSError):
        unfinished.rmdir()
    return moved


def duckdb_database(
    parts: Parts, tables: ArrowTables, path: str | Path, summary: Callable[[], Summary | None]
) -> None:
    import duckdb

    with duckdb.connect(str(path)) as database:
        # Until the end, readers see the tables that were there before.
        database.execute("begin transaction")
        try:
            for name, schema in tables.schemas.items():
                database.register("incoming", schema.empty_table())
                database.execute(f'create temp table "new {name}" as from incoming')
                database.unregister("incoming")
            for part in parts:
                if isinstance(part, TableRestarted):
                    database.execute(f'delete from "new {part.table}"')
                    continue
                database.register("incoming", tables.record_batch(part))
                database.execute(f'insert into "new {part.table}" from incoming')
                database.unregister("incoming")
            failed = _failed_tables(summary())
            for name in tables.schemas:
                if name not in failed:
                    database.execute(f'create or replace table "{name}" as from "new {name}"')
                database.execute(f'drop table "new {name}"')
        except BaseException:
            database.execute("rollback")
            raise
        database.execute("commit")


def _failed_tables(summary: Summary | None) -> set[str]:
    """Of an extraction whose parts have all been taken."""
    if summary is None:
        raise RuntimeError("the extraction was closed before its end: nothing of it is whole")
    return {table.table for table in summary.tables if table.status == TABLE_STATUS_FAILED}
