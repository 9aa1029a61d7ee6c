"""What must come of a run, and whether it did."""

import fnmatch
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compare_files import differences
from sections import Section

from tables import TABLES

# (code, table) of a notice.
Notice = tuple[str, str]
SOME = "some"
REQUEST_BOUNDS = ("exactly", "at_least", "at_most")


@dataclass(frozen=True)
class Bound:
    """A number, or so many times what an undisturbed run has."""

    amount: float
    times: bool

    def of(self, undisturbed: int) -> float:
        return self.amount * undisturbed if self.times else self.amount


@dataclass(frozen=True)
class TableRows:
    # No file: the table failed.
    failed: bool = False
    # Not looked at.
    unchecked: bool = False
    # So many, or "some", of the rows that should be there are not, and others are instead.
    missing: int | str = 0
    extra: int | str = 0


@dataclass(frozen=True)
class Expectation:
    exit_code: int = 0
    # None: nothing was written. By pattern of table; those that match none are as expected.
    rows: Mapping[str, TableRows] | None = field(default_factory=dict)
    # Beyond those of an undisturbed run; how many of each, or "some".
    notices: Mapping[Notice, int | str] = field(default_factory=dict)
    # That may be there or not.
    possible_notices: tuple[str, ...] = ()
    requests: Mapping[str, Bound] = field(default_factory=dict)
    # On stderr, or in what the summary says.
    says: tuple[str, ...] = ()
    seconds: float = 60


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    exit_code: int
    output: Path
    said: str
    # Why tables are not complete.
    errors: list[str]
    notices: Counter[Notice]
    # Tables that began anew: what was odd about their records was said once more.
    restarted: frozenset[str]
    requests: int
    seconds: float


def read_expectation(section: Section | None) -> Expectation:
    if section is None:
        return Expectation()
    default = Expectation()
    expectation = Expectation(
        exit_code=section.number("exit"),
        rows=_read_rows(section),
        notices=_read_notices(section.below("notices")),
        possible_notices=section.texts("possible_notices"),
        requests=_read_requests(section),
        says=tuple(section.value("says", [])),
        seconds=section.seconds("seconds", default.seconds),
    )
    section.end()
    return expectation


def _read_rows(section: Section) -> Mapping[str, TableRows] | None:
    whole = section.value("rows", "all")
    if whole == "all":
        return {}
    if whole == "none":
        return None
    below = section.below("rows")
    assert below is not None
    rows: dict[str, TableRows] = {}
    for pattern in below:
        if not fnmatch.filter(TABLES, pattern):
            raise below.error("no table is called so", pattern)
        value = below.value(pattern)
        if value in ("failed", "unchecked"):
            rows[pattern] = TableRows(failed=value == "failed", unchecked=value == "unchecked")
            continue
        counts = below.below(pattern)
        assert counts is not None
        rows[pattern] = TableRows(
            missing=counts.value("missing", 0), extra=counts.value("extra", 0)
        )
        counts.end()
    below.end()
    return rows


def _read_notices(section: Section | None) -> Mapping[Notice, int | str]:
    """CODE: {table: number or "some"}."""
    notices: dict[Notice, int | str] = {}
    if section is None:
        return notices
    for code in section:
        tables = section.below(code)
        assert tables is not None
        for table in tables:
            notices[code, table] = tables.value(table)
        tables.end()
    section.end()
    return notices


def _read_requests(section: Section) -> Mapping[str, Bound]:
    value = section.value("requests")
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {"exactly": _bound(section, value)}
    below = section.below("requests")
    assert below is not None
    bounds = {name: _bound(below, below.value(name)) for name in REQUEST_BOUNDS if name in below}
    below.end()
    return bounds


def _bound(section: Section, value: Any) -> Bound:
    """121 or 1.5x."""
    text = str(value)
    try:
        return Bound(float(text.removesuffix("x")), text.endswith("x"))
    except ValueError:
        raise section.error(f'"{text}" is no number of requests; write 150 or 1.2x') from None


def problems(
    expect: Expectation, result: Result, expected: Path, undisturbed: Result | None
) -> list[str]:
    """What is not as it must be, for people; `expected`: the folder of the fake's files."""
    found = []
    if result.exit_code != expect.exit_code:
        found.append(f"exit code {result.exit_code}, want {expect.exit_code}")
    if expect.rows != {} or any(result.output.glob("*.csv")):
        found += _wrong_rows(expect, result.output, expected)
        found += _wrong_notices(expect, result, undisturbed)
    else:
        found.append("no files")
    for name, bound in expect.requests.items():
        want = bound.of(undisturbed.requests if undisturbed else 0)
        right = {
            "exactly": result.requests == want,
            "at_least": result.requests >= want,
            "at_most": result.requests <= want,
        }
        if not right[name]:
            found.append(f"{result.requests} requests, want {name.replace('_', ' ')} {want:g}")
    found += [f"does not say: {text}" for text in expect.says if text not in result.said]
    if result.seconds > expect.seconds:
        found.append(f"took {result.seconds:.1f} s, want at most {expect.seconds:g} s")
    return found


def _wrong_rows(expect: Expectation, output: Path, expected: Path) -> list[str]:
    if expect.rows is None:
        there = sorted(path.name for path in output.glob("*.csv"))
        return [f"files that must not be there: {there}"] if there else []
    found = []
    for table in TABLES:
        want = next(
            (rows for pattern, rows in expect.rows.items() if fnmatch.fnmatch(table, pattern)),
            TableRows(),
        )
        file = output / f"{table}.csv"
        if want.unchecked:
            continue
        if want.failed or not file.exists():
            if want.failed == file.exists():
                found.append(f"{table}: {'a file' if want.failed else 'no file'}")
            continue
        missing, extra, samples = differences(file, expected / file.name)
        if not (_is(missing, want.missing) and _is(extra, want.extra)):
            found.append(
                f"{table}: {missing} rows are missing and {extra} are too many, want "
                f"{want.missing} and {want.extra}; {samples}"
            )
    return found


def _wrong_notices(expect: Expectation, result: Result, undisturbed: Result | None) -> list[str]:
    usual = undisturbed.notices if undisturbed else Counter()
    found = []
    unusual = result.notices - usual
    for notice in sorted({*unusual, *expect.notices}):
        want, count = expect.notices.get(notice, 0), unusual[notice]
        if notice not in expect.notices and (
            notice[0] in expect.possible_notices or _repeats(notice, usual, result)
        ):
            continue
        if not _is(count, want):
            found.append(f"{count} notices {' of '.join(notice)}, want {want}")
    if expect.rows == {}:
        found += [
            f"{count} notices {' of '.join(notice)} are missing"
            for notice, count in sorted((usual - result.notices).items())
            if notice[0] not in expect.possible_notices
        ]
    return found


def _repeats(notice: Notice, usual: Counter[Notice], result: Result) -> bool:
    """Whether it is there because its table began anew."""
    code, table = notice
    return table in result.restarted and (notice in usual or code == "SCROLL_BUSY")


def _is(count: int, want: int | str) -> bool:
    return count > 0 if want == SOME else count == want
