"""Parquet files of all tables at one time, put into place together.

    OUTPUT/tables -> .snapshots/000002     what to read: a folder for each table
    OUTPUT/.snapshots/000002/users/part-00000.parquet
    OUTPUT/.snapshots/000002/manifest.json what it holds
    OUTPUT/.snapshots/000001/              the one before, for who is still reading it

Tables that have not changed share their files with the snapshot before.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from intercom_extractor.arrow import ArrowTable
from intercom_extractor.v1.extractor_service_pb2 import TableDescription
from present_tables import Partition, PresentTables
from topics import Records

# Rows of a file, and rows and bytes of a row group, which is what is in memory at a time.
FILE_ROWS = 5_000_000
GROUP_ROWS = 20_000
GROUP_BYTES = 32 << 20

_WORKSPACE = pa.field(
    "workspace",
    pa.string(),
    nullable=False,
    metadata={"description": "Which workspace's row it is"},
)


class Snapshots:
    def __init__(
        self,
        output: Path,
        tables: Iterable[TableDescription],
        records: Records,
        *,
        of_fleet: bool,
        timestamps: bool,
    ) -> None:
        self._link = output / "tables"
        self._folder = output / ".snapshots"
        self._folder.mkdir(exist_ok=True)
        self._records = records
        self._of_fleet = of_fleet
        self._arrow = {
            table.table.name: ArrowTable(table, timestamps=timestamps) for table in tables
        }

    def add(
        self, state: PresentTables, tables: list[str], offsets: Mapping[Partition, int]
    ) -> dict[str, int] | None:
        """Makes one of the tables as they are. Rows by table; none: the last one has them."""
        stale = set(state.find_gone())
        before = self._link.resolve() if self._link.exists() else None
        written = [t for t in tables if t in stale or not self._has(before, t)]
        if before is not None and not written:
            return None
        number = int(before.name) + 1 if before else 1
        made = self._folder / f"{number:06}"
        partial = made.with_suffix(".partial")
        for left in (partial, made):
            # Of a process that was killed.
            shutil.rmtree(left, ignore_errors=True)
        partial.mkdir()
        counts = {}
        for table in tables:
            folder = partial / table
            folder.mkdir()
            if table in written:
                counts[table] = self._write(state, table, folder)
            else:
                assert before is not None
                counts[table] = _share(before / table, folder)
        _write_manifest(partial / "manifest.json", counts, offsets)
        _sync(partial)
        partial.rename(made)
        _sync(self._folder)
        self._point_to(made)
        state.all_are_written()
        for old in self._folder.iterdir():
            if old not in (made, before):
                shutil.rmtree(old)
        return counts

    def _schema(self, table: str) -> Any:
        schema = self._arrow[table].schema
        return schema.insert(0, _WORKSPACE) if self._of_fleet else schema

    def _has(self, snapshot: Path | None, table: str) -> bool:
        """Whether it has the table, with the columns of this release."""
        if snapshot is None or not (snapshot / table).is_dir():
            return False
        file = next((snapshot / table).iterdir())
        schema = pq.read_schema(file)
        return bool(schema.equals(self._schema(table), check_metadata=True))

    def _write(self, state: PresentTables, table: str, folder: Path) -> int:
        batches = self._batches(state, table)
        rows = 0
        batch = next(batches, None)
        # A table without rows has a file, too: it says which columns there are.
        for number in range(1_000_000):
            path = folder / f"part-{number:05}.parquet"
            in_file = 0
            with pq.ParquetWriter(path, self._schema(table), compression="zstd") as writer:
                while batch is not None and in_file < FILE_ROWS:
                    writer.write_batch(batch)
                    in_file += batch.num_rows
                    batch = next(batches, None)
            _sync(path)
            rows += in_file
            if batch is None:
                break
        _sync(folder)
        return rows

    def _batches(self, state: PresentTables, table: str) -> Iterator[Any]:
        workspaces: list[str] = []
        messages: list[Any] = []
        size = 0
        read = self._records.rows[table].message
        for workspace, value in state.values(table):
            workspaces.append(workspace)
            messages.append(read(value))
            size += len(value)
            if len(messages) >= GROUP_ROWS or size >= GROUP_BYTES:
                yield self._batch(table, workspaces, messages)
                workspaces, messages, size = [], [], 0
        if messages:
            yield self._batch(table, workspaces, messages)

    def _batch(self, table: str, workspaces: list[str], messages: list[Any]) -> Any:
        batch = self._arrow[table].record_batch(messages)
        if not self._of_fleet:
            return batch
        columns = [pa.array(workspaces, pa.string()), *batch.columns]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema(table))

    def _point_to(self, snapshot: Path) -> None:
        link = self._link.with_name(".tables")
        link.unlink(missing_ok=True)
        link.symlink_to(snapshot.relative_to(self._link.parent))
        link.replace(self._link)
        _sync(self._link.parent)


def _share(before: Path, folder: Path) -> int:
    rows = 0
    for file in before.iterdir():
        try:
            os.link(file, folder / file.name)
        except OSError:
            # Not every file system can.
            shutil.copy2(file, folder / file.name)
        rows += pq.read_metadata(file).num_rows
    return rows


def _write_manifest(
    path: Path, counts: Mapping[str, int], offsets: Mapping[Partition, int]
) -> None:
    ends: dict[str, dict[str, int]] = {}
    for (topic, partition), after in sorted(offsets.items()):
        ends.setdefault(topic, {})[str(partition)] = after
    manifest = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": dict(counts),
        "offsets": ends,
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
