"""docs/limits.md says what Intercom's API cannot do; what it names must exist."""

import json
import re
import subprocess

import pytest

from programs import ROOT, run_command_line

TEXT = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
# Two columns of a table's row: what shows it, and a test.
TESTS = sorted(set(re.findall(r"`([A-Z]\w+)\.([A-Z]\w+)`", TEXT)))
SAID = sorted(set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", TEXT)))


def sources() -> str:
    """Every test in C++, and all that the contract and the documents say."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "*_test.cc", "proto/*.proto", "docs/errors.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names if name)


@pytest.fixture(scope="module")
def everything() -> str:
    return sources()


def test_there_is_enough_to_look_for() -> None:
    assert len(TESTS) > 30
    assert len(SAID) > 10


@pytest.mark.parametrize(("suite", "name"), TESTS, ids=".".join)
def test_a_test_that_is_named_exists(everything: str, suite: str, name: str) -> None:
    assert re.search(rf"TEST(_[FP])?\(\s*{suite},\s*{name}\s*\)", everything)


@pytest.mark.parametrize("said", SAID)
def test_a_reason_or_notice_that_is_named_exists(everything: str, said: str) -> None:
    assert re.search(rf"\b(NOTICE_CODE_)?{said}\b", everything)


@pytest.mark.command_line
def test_so_many_columns_are_always_null() -> None:
    tables = json.loads(run_command_line("tables", "--json", token=None).stdout)["tables"]
    columns = [column for table in tables for column in table["columns"]]
    without = [
        column
        for column in columns
        if not column["paths"] and column["constant"] is None and column["derivation"] is None
    ]
    assert f"{len(without)} documented columns are in no answer" in TEXT
