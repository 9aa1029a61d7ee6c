"""Compares the files of an extraction with those that the fake says are right."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tables import TABLES, raw_records, read_bytes


class Difference(str):
    """The line for people about a table that differs; it also knows its numbers."""

    missing: int
    extra: int


def difference(name: str, actual: Counter[bytes], truth: Counter[bytes]) -> list[str]:
    """One Difference where two tables differ."""
    missing, extra = truth - actual, actual - truth
    if not missing and not extra:
        return []
    line = Difference(
        f"{name}: {missing.total()} rows are missing and {extra.total()} are too many of "
        f"{truth.total()}, {_samples(missing, extra)}"
    )
    line.missing, line.extra = missing.total(), extra.total()
    return [line]


def _samples(*differing: Counter[bytes]) -> str:
    return ", ".join(f"such as {next(iter(rows))[:200]!r}" for rows in differing if rows)


def differences(actual: Path, truth: Path) -> tuple[int, int, str]:
    """How many records are missing, how many are too many, and samples; a header is one."""
    ours, theirs = (Counter(raw_records(read_bytes(file))) for file in (actual, truth))
    missing, extra = theirs - ours, ours - theirs
    return missing.total(), extra.total(), _samples(missing, extra)


def wrong_files(
    output: Path, expected: Path, tables: Iterable[str] = TABLES, kind: str = ""
) -> list[str]:
    """How the files differ from those expected, whatever the order of the records.

    `kind`: ".delta" for those of an incremental run.
    """
    problems = []
    wanted = {f"{table}{kind}.csv" for table in tables}
    names = {path.name for path in output.iterdir() if not path.name.startswith(".")}
    if names != wanted:
        problems.append(f"missing files: {wanted - names}, unexpected ones: {names - wanted}")
    partial = output / ".partial"
    left = sorted(path.name for path in partial.iterdir()) if partial.exists() else []
    if left:
        problems.append(f"left in .partial: {left}")
    for name in sorted(wanted & names):
        ours = raw_records(read_bytes(output / name))
        theirs = raw_records(read_bytes(expected / name.replace(f"{kind}.csv", ".csv")))
        if ours[:1] != theirs[:1]:
            problems.append(f"{name}: another header: {ours[:1]}")
        problems += difference(name, Counter(ours[1:]), Counter(theirs[1:]))
    return problems
