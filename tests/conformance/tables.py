"""Reads the tables that the programs write, and tells null from the empty string."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from programs import ROOT

# A CSV field: None for null, which is an empty field without quotes.
Cell = str | None
Row = dict[str, Cell]


def _documented() -> dict[str, list[tuple[str, str]]]:
    tables: dict[str, list[tuple[str, str]]] = {}
    lines = (ROOT / "tests/testdata/tables.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines[1:]:
        table, _, column, kind, *_ = line.split("\t")
        tables.setdefault(table, []).append((column, kind))
    return tables


# Columns and their types by table, in the documented order.
DOCUMENTED = _documented()
TABLES = list(DOCUMENTED)
CONVERSATION_TABLES = [table for table in TABLES if table.startswith("conversation")]
BASIC_TABLES = [table for table in TABLES if table not in CONVERSATION_TABLES]


def read_bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def raw_records(content: bytes) -> list[bytes]:
    """The records of a CSV file as written. Line feeds within quotes do not end one."""
    records: list[bytes] = []
    pending = b""
    for line in content.split(b"\n"):
        pending = pending + b"\n" + line if pending else line
        # A quote within a quoted field is doubled: an odd number means that one is open.
        if pending.count(b'"') % 2 == 0:
            records.append(pending)
            pending = b""
    assert not pending, "the file ends within a record"
    assert records[-1:] == [b""], "the file ends within a record"
    return records[:-1]


def fields(record: bytes) -> list[Cell]:
    text = record.decode("utf-8")
    cells: list[Cell] = []
    position = 0
    while True:
        if text[position : position + 1] == '"':
            end = position + 1
            while text[end : end + 1] != '"' or text[end + 1 : end + 2] == '"':
                end += 2 if text[end : end + 1] == '"' else 1
                assert end < len(text), f"a quote is never closed: {record!r}"
            cells.append(text[position + 1 : end].replace('""', '"'))
            position = end + 1
        else:
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            cells.append(text[position:end] or None)
            position = end
        if position == len(text):
            return cells
        assert text[position] == ",", f"no comma after a closing quote: {record!r}"
        position += 1


def read_rows(path: Path) -> list[Row]:
    header, *records = (fields(record) for record in raw_records(read_bytes(path)))
    names = [name or "" for name in header]
    for record in records:
        assert len(record) == len(names), f"{path.name}: {record} has not {len(names)} fields"
    return [dict(zip(names, record, strict=True)) for record in records]


def group_by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column] or "", []).append(row)
    return groups


class _Number(str):
    """A JSON number as written: int64 does not fit a float, and 100 is not 100.0."""


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    lines = read_bytes(path).split(b"\n")
    assert lines.pop() == b"", f"{path.name}: the last line has no end"
    return [json.loads(line, parse_int=_Number, parse_float=_Number) for line in lines]


def _as_cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    assert value is None or isinstance(value, str), f"neither a scalar nor null: {value!r}"
    return value


def row_of_json(line: Mapping[str, Any]) -> Row:
    return {name: _as_cell(value) for name, value in line.items()}


def assert_json_types(table: str, line: Mapping[str, Any]) -> None:
    for column, kind in DOCUMENTED[table]:
        value = line[column]
        if value is None:
            continue
        if kind.startswith(("int64", "double")):
            assert isinstance(value, _Number), f"{table}.{column}: {value!r} is no number"
        elif kind.startswith("bool"):
            assert isinstance(value, bool), f"{table}.{column}: {value!r} is no boolean"
        else:
            assert type(value) is str, f"{table}.{column}: {value!r} is no string"


def _difference(name: str, actual: list[Any], expected: list[Any]) -> str | None:
    """One line about the first records that are in one list only; None when equal."""
    if actual == expected:
        return None
    missing, extra = list(expected), []
    for record in actual:
        if record in missing:
            missing.remove(record)
        else:
            extra.append(record)
    return (
        f"{name}: {len(actual)} records, want {len(expected)}; {len(missing)} missing such as "
        f"{missing[:2]}; {len(extra)} extra such as {extra[:2]}"
    )


def assert_same_tables(
    actual: Path, expected: Path, tables: Iterable[str] = TABLES, suffix: str = ".csv"
) -> None:
    """The two folders hold the same bytes, whatever the order of the records."""
    differences = []
    for table in tables:
        ours = raw_records(read_bytes(actual / (table + suffix)))
        theirs = raw_records(read_bytes(expected / (table + ".csv")))
        assert ours[0] == theirs[0], f"{table}: header {ours[0]!r}, want {theirs[0]!r}"
        differences.append(_difference(table, sorted(ours[1:]), sorted(theirs[1:])))
    found = [difference for difference in differences if difference]
    assert not found, "\n".join(found)


def assert_files(
    directory: Path, tables: Iterable[str], suffix: str = ".csv", failed: str = ""
) -> None:
    """The folder holds one file for each table and, but for hidden ones, nothing else.

    What came of a failed table stays among the unfinished files, for people to look at.
    """
    names = {path.name for path in directory.iterdir() if not path.name.startswith(".")}
    assert names == {table + suffix for table in tables}
    partial = directory / ".partial"
    unfinished = {path.name for path in partial.iterdir()} if partial.exists() else set()
    assert unfinished <= {failed + suffix}, "unfinished files were left behind"
