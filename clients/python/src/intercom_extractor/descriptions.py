"""The tables that this package knows, described as a server's ListTables would."""

from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from intercom_extractor.v1 import annotations_pb2
from intercom_extractor.v1.extractor_service_pb2 import (
    COLUMN_TYPE_BOOL,
    COLUMN_TYPE_DOUBLE,
    COLUMN_TYPE_INT64,
    COLUMN_TYPE_STRING,
    RowBatch,
    TableDescription,
)

# Fields with higher numbers are extension columns.
_LAST_DOCUMENTED = 100
_TYPES = {
    FieldDescriptor.TYPE_STRING: COLUMN_TYPE_STRING,
    FieldDescriptor.TYPE_INT64: COLUMN_TYPE_INT64,
    FieldDescriptor.TYPE_DOUBLE: COLUMN_TYPE_DOUBLE,
    FieldDescriptor.TYPE_BOOL: COLUMN_TYPE_BOOL,
}


# The stubs of generated code and of the library do not agree on what an extension is.
_table: Any = annotations_pb2.table
_column: Any = annotations_pb2.column


def known_tables() -> list[TableDescription]:
    """For who reads rows where no server is to ask, such as in a queue."""
    found = []
    for field in RowBatch.DESCRIPTOR.fields:
        row = field.message_type
        if row is None or not row.GetOptions().HasExtension(_table):
            continue
        table = TableDescription(
            table=row.GetOptions().Extensions[_table], row_message=row.full_name
        )
        columns: list[Any] = sorted(row.fields, key=attrgetter("number"))
        for column in columns:
            table.columns.add(
                name=column.name,
                number=column.number,
                type=_TYPES[column.type],
                documented=column.number <= _LAST_DOCUMENTED,
                column=column.GetOptions().Extensions[_column],
            )
        found.append(table)
    return found
