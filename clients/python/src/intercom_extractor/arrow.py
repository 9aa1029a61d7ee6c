"""Rows as Arrow record batches, with the types that the server says the columns have."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

import pyarrow as pa

from intercom_extractor.rows import Batch, Row
from intercom_extractor.v1 import tables_pb2
from intercom_extractor.v1.annotations_pb2 import (
    COLUMN_FORMAT_UNIX_SECONDS,
    DERIVATION_ORDINAL,
    ColumnFormat,
)
from intercom_extractor.v1.extractor_service_pb2 import (
    COLUMN_TYPE_BOOL,
    COLUMN_TYPE_DOUBLE,
    COLUMN_TYPE_INT64,
    COLUMN_TYPE_STRING,
    ColumnDescription,
    TableDescription,
)

_TYPES = {
    COLUMN_TYPE_STRING: pa.string(),
    COLUMN_TYPE_INT64: pa.int64(),
    COLUMN_TYPE_DOUBLE: pa.float64(),
    COLUMN_TYPE_BOOL: pa.bool_(),
}
# Parquet has no whole seconds.
_TIME = pa.timestamp("us", tz="UTC")
# The years 1 to 9999: nothing that reads tables has others.
FIRST_TIME, LAST_TIME = -62_135_596_800, 253_402_300_799


class ArrowTable:
    """How one table looks in Arrow.

    A column is not nullable where no record can make it null: constants and positions in lists.
    What tables.proto says of columns is metadata of their fields. `timestamps`: columns that
    hold Unix seconds are timestamps instead of 64-bit integers, null outside of the years 1 to
    9999. Columns that are newer than
    this package are left out.
    """

    def __init__(self, description: TableDescription, *, timestamps: bool = False) -> None:
        self.name = description.table.name
        row = tables_pb2.DESCRIPTOR.message_types_by_name[description.row_message.rsplit(".")[-1]]
        columns = [column for column in description.columns if column.name in row.fields_by_name]
        self.schema = pa.schema(
            [_field(column, timestamps) for column in columns],
            metadata={"table": self.name, "description": description.table.description},
        )
        self._has_field = getattr(tables_pb2, row.name).HasField

    def record_batch(self, rows: Iterable[Row]) -> Any:
        """A pyarrow.RecordBatch of rows of this table."""
        # Each access to a repeated field makes its messages anew.
        rows = list(rows)
        arrays = [self._array(rows, field.name, field.type) for field in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _array(self, rows: Sequence[Row], name: str, kind: Any) -> Any:
        # Most columns are either full or, where Intercom has nothing for them, empty. Loops in
        # C: this is where all the time goes.
        values: list[Any] = list(map(attrgetter(name), rows))
        if not all(values):
            # Only what is empty, 0 or false can be null.
            present = list(map(self._has_field, rows, repeat(name)))
            if not any(present):
                return pa.nulls(len(rows), kind)
            if not all(present):
                values = [
                    value if is_there else None
                    for value, is_there in zip(values, present, strict=True)
                ]
        if kind == _TIME:
            values = [_microseconds(value) for value in values]
        return pa.array(values, type=kind)


class ArrowTables:
    """The tables of an extraction."""

    def __init__(self, descriptions: Iterable[TableDescription], *, timestamps: bool) -> None:
        tables = (ArrowTable(each, timestamps=timestamps) for each in descriptions)
        self._tables = {table.name: table for table in tables}

    @property
    def schemas(self) -> dict[str, Any]:
        return {name: table.schema for name, table in self._tables.items()}

    def record_batch(self, batch: Batch) -> Any:
        return self._tables[batch.table].record_batch(batch.rows)


def _field(column: ColumnDescription, timestamps: bool) -> Any:
    about = column.column
    kind = _TYPES[column.type]
    if timestamps and about.format == COLUMN_FORMAT_UNIX_SECONDS:
        kind = _TIME
    never_null = about.HasField("constant") or about.derivation == DERIVATION_ORDINAL
    metadata = {
        "description": about.description,
        "format": ColumnFormat.Name(about.format).removeprefix("COLUMN_FORMAT_").lower(),
        "primary_key": "true" if about.primary_key else "",
        "references": ",".join(about.references),
    }
    if not about.format:
        del metadata["format"]
    return pa.field(
        column.name,
        kind,
        nullable=not never_null,
        metadata={key: text for key, text in metadata.items() if text},
    )


def _microseconds(seconds: int | None) -> int | None:
    if seconds is None or not FIRST_TIME <= seconds <= LAST_TIME:
        return None
    return seconds * 1_000_000
