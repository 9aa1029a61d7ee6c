"""Every table, as the server has it."""

from pathlib import Path

import pytest

from drivers import Driver, Request
from programs import write_expected
from records import assert_equal
from server import Server
from tables import CONVERSATION_TABLES, DOCUMENTED, TABLES


def test_all_tables_equal_the_expected_records(
    driver: Driver, server: Server, expected: Path, tmp_path: Path
) -> None:
    result = driver.run(tmp_path / "run", server.address)
    assert result.error is None
    assert_equal(result.output, expected)
    summary = result.json["summary"]
    counted = {table["table"]: int(table.get("rows", 0)) for table in summary["tables"]}
    assert counted == {table: result.json["rows"].get(table, 0) for table in TABLES}
    assert {table["status"] for table in summary["tables"]} == {"TABLE_STATUS_COMPLETE"}
    assert result.json["checkpoints"] > 0
    assert result.resume_token
    # The default workspace has records that are odd.
    assert result.json["notices"]
    assert result.json["reconnects"] == 0
    assert result.json["restarts"] == []


def test_at_least_once_gives_each_row_once_while_nothing_breaks(
    driver: Driver, server: Server, expected: Path, tmp_path: Path
) -> None:
    result = driver.run(tmp_path / "run", server.address, delivery="at_least_once")
    assert result.error is None
    assert_equal(result.output, expected)


def test_a_template_and_single_tables_add_up(
    driver: Driver, server: Server, expected: Path, tmp_path: Path
) -> None:
    request = Request(template="conversations", tables=("tags",))
    result = driver.run(tmp_path / "run", server.address, request)
    assert result.error is None
    assert_equal(result.output, expected, [*CONVERSATION_TABLES, "tags"])


@pytest.mark.parametrize("find_deleted", [False, True])
def test_an_incremental_run_gives_what_changed(
    driver: Driver, server: Server, tmp_path: Path, find_deleted: bool
) -> None:
    since = 1_735_000_000
    flags = ("--expect-find-deleted",) if find_deleted else ()
    expected = write_expected(tmp_path / "expected", "--expect-since", str(since), *flags)
    # Deleted and living records come between the rows, and are none.
    request = Request(template="all", updated_since=since, find_deleted=find_deleted)
    result = driver.run(tmp_path / "run", server.address, request)
    assert result.error is None
    assert_equal(result.output, expected)
    assert 0 < result.json["rows"]["users"] < 200


def test_the_tables_are_listed_with_their_columns(
    driver: Driver, server: Server, tmp_path: Path
) -> None:
    result = driver.run(tmp_path / "run", server.address, action="tables")
    assert result.error is None
    listed = {table["table"]["name"]: table for table in result.json["response"]["tables"]}
    assert list(listed) == TABLES
    for table, columns in DOCUMENTED.items():
        names = [column["name"] for column in listed[table]["columns"] if column.get("documented")]
        assert names == [name for name, _ in columns]
    key = listed["users"]["columns"][1]
    assert key["type"] == "COLUMN_TYPE_STRING"
    assert key["column"]["primary_key"] is True


def test_check_says_what_can_be_read(driver: Driver, server: Server, tmp_path: Path) -> None:
    result = driver.run(tmp_path / "run", server.address, action="check")
    assert result.error is None
    response = result.json["response"]
    assert response["workspace"]["region"] == "US"
    assert [table["table"] for table in response["tables"]] == TABLES
    assert {table["access"] for table in response["tables"]} == {"TABLE_ACCESS_OK"}


def test_plan_says_with_how_many_requests(driver: Driver, server: Server, tmp_path: Path) -> None:
    result = driver.run(
        tmp_path / "run", server.address, Request(tables=("tags", "admins")), action="plan"
    )
    assert result.error is None
    plan = result.json["response"]["plan"]
    assert [table["table"] for table in plan["tables"]] == ["admins", "tags"]
    # 64-bit integers are strings in proto3 JSON. Lists of one page: known exactly.
    assert plan["total"] == {"min": "4", "likely": "4", "max": "4"}


@pytest.mark.parametrize("connection", ["default", None])
def test_the_default_connection_needs_no_name(
    driver: Driver, server: Server, tmp_path: Path, connection: str | None
) -> None:
    result = driver.run(
        tmp_path / "run", server.address, Request(tables=("tags",)), connection=connection
    )
    assert result.error is None
    assert result.rows > 0
