"""The CSV files of the drivers beside those that the fake expects."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tables import DOCUMENTED, TABLES, Cell, Row, read_rows

Record = tuple[tuple[str, Cell], ...]


def _doubles(table: str) -> set[str]:
    return {column for column, kind in DOCUMENTED[table] if kind.startswith("double")}


def _record(row: Row, doubles: set[str]) -> Record:
    """A language may write a double as it likes, as long as it reads back."""

    def cell(column: str, text: Cell) -> Cell:
        return repr(float(text)) if column in doubles and text is not None else text

    return tuple((column, cell(column, text)) for column, text in row.items())


def records(folder: Path, table: str) -> Counter[Record]:
    doubles = _doubles(table)
    return Counter(_record(row, doubles) for row in read_rows(folder / f"{table}.csv"))


def assert_equal(actual: Path, expected: Path, tables: Iterable[str] = TABLES) -> None:
    """The two folders hold the same records, each as often, whatever their order."""
    tables = list(tables)
    assert {path.stem for path in actual.iterdir()} == set(tables)
    for table in tables:
        ours, theirs = records(actual, table), records(expected, table)
        assert ours == theirs, (
            f"{table}: missing {_some(theirs - ours)}; too many {_some(ours - theirs)}"
        )


def repeated(actual: Path, expected: Path) -> Counter[str]:
    """How many records of each table came again; none may be missing or another."""
    again: Counter[str] = Counter()
    for table in TABLES:
        ours, theirs = records(actual, table), records(expected, table)
        assert not theirs - ours, f"{table}: missing {_some(theirs - ours)}"
        assert ours.keys() == theirs.keys(), f"{table}: not expected {_some(ours - theirs)}"
        again[table] = (ours - theirs).total()
    return +again


def _some(counts: Counter[Record]) -> str:
    first = next(iter(counts), None)
    return f"{counts.total()}" + ("" if first is None else f" such as {dict(first)}")
