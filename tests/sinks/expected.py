"""Compares the tables of a schema with the files that the fake says they must equal."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from tables import TABLES, Row, read_rows

if TYPE_CHECKING:
    from postgres import Postgres

# What a timestamptz holds: from 4713 BC to the end of the year 294276.
FIRST_SECOND, LAST_SECOND = -210_866_803_200, 9_224_318_015_999


def columns_of(postgres: "Postgres", schema: str, table: str) -> dict[str, str]:
    """The types of its columns by their names, in their order."""
    rows = postgres.query(
        "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = "
        f"'{schema}.{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return {row["attname"] or "": row["type"] or "" for row in rows}


def _as_kept(kind: str, cell: str | None) -> str | None:
    if cell is None or cell.endswith("infinity"):
        return cell
    if kind == "jsonb":  # Keeps all digits, but no order of keys and no exponents.
        value = json.loads(cell, parse_float=Decimal, parse_int=Decimal)
        return json.dumps(value, sort_keys=True, default=lambda number: f"{number:f}")
    if kind == "double precision":  # 9.1e+15 is how it writes what is 9100000000000000.
        return str(float(cell))
    if kind != "timestamp with time zone" or FIRST_SECOND <= int(cell) <= LAST_SECOND:
        return cell
    return "infinity" if int(cell) > 0 else "-infinity"


def _comparable(row: Row, types: dict[str, str]) -> tuple[str | None, ...]:
    return tuple(_as_kept(types[name], cell) for name, cell in row.items())


def _rows(postgres: "Postgres", schema: str, table: str, types: dict[str, str]) -> list[Row]:
    columns = ", ".join(
        f'CASE WHEN isfinite("{name}") THEN extract(epoch FROM "{name}")::bigint::text '
        f'ELSE "{name}"::text END AS "{name}"'
        if kind == "timestamp with time zone"
        else f'"{name}"::text AS "{name}"'
        for name, kind in types.items()
    )
    return postgres.query(f"SELECT {columns} FROM {schema}.{table}")


def differences(postgres: "Postgres", schema: str, expected: Path) -> list[str]:
    """How the tables of the schema differ from the expected files, one line for each."""
    found = []
    for table in TABLES:
        types = columns_of(postgres, schema, table)
        actual = Counter(_comparable(row, types) for row in _rows(postgres, schema, table, types))
        wanted = read_rows(expected / f"{table}.csv")
        if wanted and list(wanted[0]) != list(types):
            found.append(f"{table}: columns {list(types)}, want {list(wanted[0])}")
            continue
        truth = Counter(_comparable(row, types) for row in wanted)
        missing, extra = truth - actual, actual - truth
        if missing or extra:
            found.append(
                f"{table}: {missing.total()} missing such as {list(missing)[:1]}, {extra.total()} "
                f"too many such as {list(extra)[:1]}, of {truth.total()}"
            )
    return found
