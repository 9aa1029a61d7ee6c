"""What streams of records and events say, read in the way that docs/sinks.md tells readers to."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from intercom.extractor.v1 import extractor_service_pb2

from tables import DOCUMENTED, TABLES, Cell, Row, _Number, read_rows, row_of_json

# Which run, and which generation of the table in it.
Version = tuple[int, int]
# The column of a row that names what it belongs to, and that table.
OWNERS = {
    "events_summary": ("users", "user_id"),
    "conversation_parts": ("conversations", "conversations_pk"),
}
for _table in TABLES:
    for _above in ("users", "leads", "conversations", "conversation_parts"):
        if _table.startswith(f"{_above}_") and _table not in OWNERS:
            OWNERS[_table] = (_above, f"{_above}_pk")


@dataclass(frozen=True)
class Record:
    key: str
    value: bytes | None
    headers: Mapping[str, str]

    @property
    def version(self) -> Version:
        return int(self.headers["run"]), int(self.headers["generation"])


_BATCH = extractor_service_pb2.RowBatch.DESCRIPTOR
_MESSAGES: dict[str, Any] = {
    field.name: getattr(
        __import__("intercom.extractor.v1.tables_pb2", fromlist=["x"]), field.message_type.name
    )
    for field in _BATCH.fields
    if field.name in TABLES
}


def _cell(value: Any) -> Cell:
    return str(value).lower() if isinstance(value, bool) else str(value)


def row_of(table: str, value: bytes) -> Row:
    if value.startswith(b"{"):
        return row_of_json(json.loads(value, parse_int=_Number, parse_float=_Number))
    message = _MESSAGES[table].FromString(value)
    return {
        field.name: _cell(getattr(message, field.name)) if message.HasField(field.name) else None
        for field in message.DESCRIPTOR.fields
    }


class Streams:
    """Records by table, and the values of events, each in the order of its stream."""

    def __init__(self, records: Mapping[str, Sequence[Record]], events: Sequence[bytes]) -> None:
        self.records = records
        self.events: list[dict[str, Any]] = [json.loads(event) for event in events]

    def repeated(self) -> list[str]:
        """Records that came more than once in a generation of a run."""
        found = []
        for table, records in self.records.items():
            counts = Counter(
                (record.key, record.version) for record in records if record.value is not None
            )
            found += [f"{table} {key}: {count} times" for key, count in counts.items() if count > 1]
        return found

    def tables(self) -> dict[str, list[Row]]:
        kept: dict[str, dict[str, tuple[Version, Row]]] = {}
        for table, records in self.records.items():
            kept[table] = {}
            for record in records:
                if record.value is None:
                    kept[table].pop(record.key, None)
                elif record.key not in kept[table] or record.version >= kept[table][record.key][0]:
                    kept[table][record.key] = (record.version, row_of(table, record.value))
        living = {
            (event["table"], event["id"]): event["run"]
            for event in self.events
            if event["event"] == "living"
        }
        gone: set[tuple[str, str, int]] = {
            (event["table"], event["id"], event["run"])
            for event in self.events
            if event["event"] == "deleted"
        }
        parts = {
            key: row["conversations_pk"] for key, (_, row) in kept["conversation_parts"].items()
        }
        for event in self.events:
            self._apply(event, kept, living, gone, parts)
        for table, id, run in gone:
            for other, rows in kept.items():
                for key, (version, row) in list(rows.items()):
                    if version[0] <= run and (table, id) == _root(other, row, parts):
                        del rows[key]
        return {table: [row for _, row in rows.values()] for table, rows in kept.items()}

    @staticmethod
    def _apply(
        event: dict[str, Any],
        kept: dict[str, dict[str, tuple[Version, Row]]],
        living: Mapping[tuple[str, str], int],
        gone: set[tuple[str, str, int]],
        parts: Mapping[str, Cell],
    ) -> None:
        kind, table, now = (
            event["event"],
            event["table"],
            (event["run"], event.get("generation", 0)),
        )
        rows = kept[table]
        for key, (version, row) in list(rows.items()):
            if version >= now:
                continue
            if (
                kind == "whole"
                or (kind == "restarted" and event["whole"] and version[0] == now[0])
                or (kind == "parent" and _root(table, row, parts)[1] == event["id"])
            ):
                del rows[key]
            elif kind == "listed" and living.get((table, key), 0) < now[0]:
                gone.add((table, key, version[0]))
                del rows[key]


def _root(table: str, row: Row, parts: Mapping[str, Cell]) -> tuple[str, Cell]:
    above, column = OWNERS.get(table, ("", ""))
    if not above:
        return "", None
    if above == "conversation_parts":
        return "conversations", parts.get(row[column] or "")
    return above, row[column]


def _comparable(table: str, row: Row) -> tuple[tuple[str, Cell], ...]:
    doubles = {column for column, kind in DOCUMENTED[table] if kind.startswith("double")}
    return tuple(
        (name, repr(float(cell)) if name in doubles and cell is not None else cell)
        for name, cell in row.items()
    )


class Reader(Protocol):
    def tables(self) -> Mapping[str, Sequence[Row]]: ...


def differences(streams: Reader, expected: Path) -> list[str]:
    """How the tables of a reader differ from the expected files, one line for each."""
    found = []
    for table, rows in streams.tables().items():
        actual = Counter(_comparable(table, row) for row in rows)
        truth = Counter(_comparable(table, row) for row in read_rows(expected / f"{table}.csv"))
        missing, extra = truth - actual, actual - truth
        if missing or extra:
            found.append(
                f"{table}: {missing.total()} missing such as {list(missing)[:1]}, {extra.total()} "
                f"too many such as {list(extra)[:1]}, of {truth.total()}"
            )
    return found
