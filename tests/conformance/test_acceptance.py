"""What holds for any workspace of any Intercom-like server, whatever it contains.

In the spirit of the acceptance tests that other extractors' platforms have: credentials, two
reads, states that are broken, foreign or of the future. Against the fake these run beside the
tests that know which records there must be; `run.sh --base-url` runs them against another
server, whose workspace should rest meanwhile.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from messages import service

from conftest import Source
from programs import Run, extract, run_command_line, running_server
from tables import (
    Row,
    assert_files,
    assert_same_tables,
    raw_records,
    read_bytes,
    read_rows,
)

pytestmark = [pytest.mark.command_line, pytest.mark.any_intercom]

COMPLETE, USAGE, AUTHENTICATION, PARTIAL = 0, 2, 3, 4
WRONG_TOKEN = "no-access-token-of-any-workspace"
EXTRACT = "/intercom.extractor.v1.ExtractorService/Extract"
# The table of which every workspace has rows, in one answer.
SHORT, OTHER = "admins", "tags"


def read(source: Source, output: Path, *arguments: str, tables: tuple[str, ...]) -> Run:
    return extract(
        source.base_url,
        output,
        *("--tables", ",".join(tables), *arguments),
        token=source.token,
        seconds=source.seconds,
    )


@pytest.fixture(scope="module")
def checked(source: Source) -> Run:
    return run_command_line(
        *("check", "--embedded", "--base-url", source.base_url, "--json"),
        token=source.token,
        seconds=source.seconds,
    )


@pytest.fixture(scope="module")
def readable(source: Source, checked: Run) -> tuple[str, ...]:
    """Those of the tables asked for that the token may read."""
    access = {table["table"]: table["access"] for table in json.loads(checked.stdout)["tables"]}
    found = tuple(table for table in source.tables if access[table] == "ok")
    assert found, f"none of the tables may be read: {checked}"
    return found


@pytest.fixture(scope="module")
def described(readable: tuple[str, ...]) -> dict[str, Any]:
    """What the programs say of each of these tables."""
    run = run_command_line("tables", "--json", token=None)
    tables = json.loads(run.stdout)["tables"]
    return {table["table"]: table for table in tables if table["table"] in readable}


@pytest.fixture(scope="module")
def first(
    source: Source, readable: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    run = read(source, tmp_path_factory.mktemp("first"), tables=readable)
    assert run.exit_code == COMPLETE, run
    return run


@pytest.fixture(scope="module")
def rows(first: Run, readable: tuple[str, ...]) -> dict[str, list[Row]]:
    return {table: read_rows(first.output / f"{table}.csv") for table in readable}


def test_check_accepts_the_token_and_names_the_workspace(checked: Run) -> None:
    # Partial: there are tables that the token may not read, and the output says which.
    assert checked.exit_code in (COMPLETE, PARTIAL), checked
    assert json.loads(checked.stdout)["workspace"]["id_code"]


def test_check_refuses_a_wrong_token(source: Source) -> None:
    run = run_command_line("check", "--embedded", "--base-url", source.base_url, token=WRONG_TOKEN)
    assert run.exit_code == AUTHENTICATION, run


def test_a_wrong_token_reads_nothing(source: Source, tmp_path: Path) -> None:
    run = extract(source.base_url, tmp_path / "output", "--template", "all", token=WRONG_TOKEN)
    assert run.exit_code == AUTHENTICATION, run
    assert not list((tmp_path / "output").glob("*.csv"))


def test_each_table_has_the_described_header(
    first: Run, described: dict[str, Any], readable: tuple[str, ...]
) -> None:
    assert_files(first.output, readable)
    for table, description in described.items():
        header = raw_records(read_bytes(first.output / f"{table}.csv"))[0]
        columns = ",".join(column["column"] for column in description["columns"])
        assert header.decode() == columns, table


def test_two_reads_give_the_same_bytes(
    source: Source, first: Run, readable: tuple[str, ...], tmp_path: Path
) -> None:
    run = read(source, tmp_path, tables=readable)
    assert run.exit_code == COMPLETE, run
    assert_same_tables(run.output, first.output, readable)


def test_keys_are_unique_and_not_null(
    rows: dict[str, list[Row]], described: dict[str, Any]
) -> None:
    for table, description in described.items():
        keys = [tuple(row[column] for column in description["key"]) for row in rows[table]]
        assert len(set(keys)) == len(keys), f"{table}: {len(keys) - len(set(keys))} keys again"
        assert not any(None in key for key in keys), table


def test_rows_belong_to_rows(rows: dict[str, list[Row]], described: dict[str, Any]) -> None:
    """What a row belongs to, or links, is there.

    Other columns may name what Intercom no longer lists, such as a contact of a conversation
    that was merged into another.
    """
    compared = 0
    for table, description in described.items():
        for column in description["columns"]:
            name, references = column["column"], column["references"]
            if len(references) != 1:
                continue
            owner, key = references[0].split(".")
            belongs = name in description["key"] or owner == description["parent"]
            if not belongs or owner not in rows:
                continue
            known = {row[key] for row in rows[owner]}
            lost = [row[name] for row in rows[table] if row[name] not in known]
            assert not lost, f"{table}: {name} {lost[:3]} are no {references[0]}"
            compared += len(rows[table])
    assert compared or not rows.get("users_tags")


def test_reading_what_changed_since_before_intercom_existed_gives_all_rows(
    source: Source, first: Run, readable: tuple[str, ...], tmp_path: Path
) -> None:
    run = read(source, tmp_path, "--updated-since", "2000-01-01", tables=readable)
    assert run.exit_code == COMPLETE, run
    for table in readable:
        (run.output / f"{table}.delta.csv").rename(run.output / f"{table}.csv")
    assert_same_tables(run.output, first.output, readable)


def test_reading_after_the_last_change_gives_only_tables_that_are_read_whole(
    source: Source,
    first: Run,
    rows: dict[str, list[Row]],
    readable: tuple[str, ...],
    tmp_path: Path,
) -> None:
    run = read(source, tmp_path, "--updated-since", str(int(time.time()) - 1), tables=readable)
    assert run.exit_code == COMPLETE, run
    whole = {"companies", "admins", "tags", "segments"}
    for table in readable:
        changed = read_rows(run.output / f"{table}.delta.csv")
        assert len(changed) == (len(rows[table]) if table in whole else 0), table


def test_a_time_in_the_future_is_refused_before_anything_is_read(
    source: Source, tmp_path: Path
) -> None:
    tomorrow = str(int(time.time()) + 86_400)
    run = read(source, tmp_path / "output", "--updated-since", tomorrow, tables=(SHORT,))
    assert run.exit_code == USAGE, run
    assert "future" in run.stderr, run
    assert not (tmp_path / "output").exists()


def test_a_broken_state_is_refused(source: Source, tmp_path: Path) -> None:
    state = tmp_path / ".intercom-extract.state"
    state.write_bytes(b"\x00 no state of any run")
    run = read(source, tmp_path, "--resume", tables=(SHORT,))
    assert run.exit_code == USAGE, run
    assert state.name in run.stderr
    assert state.read_bytes() == b"\x00 no state of any run"


# The service, for clients of any language.


@pytest.fixture(scope="module")
def channel(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    folder = tmp_path_factory.mktemp("server")
    config = folder / "server.yaml"
    config.write_text(
        "connections:\n"
        "  - name: default\n"
        f"    base_url: {source.base_url}\n"
        "    access_token_env: INTERCOM_ACCESS_TOKEN\n",
        encoding="utf-8",
    )
    options = [("grpc.enable_http_proxy", 0)]
    with (
        running_server(config, folder / "log", token=source.token) as address,
        grpc.insecure_channel(address, options) as opened,
    ):
        yield opened


def stream(
    channel: grpc.Channel, *tables: str, **fields: Any
) -> tuple[list[service.ExtractResponse], str]:
    """The events, and how the call ended: OK, or code and reason."""
    extract_call = channel.unary_stream(
        EXTRACT,
        request_serializer=service.ExtractRequest.SerializeToString,
        response_deserializer=service.ExtractResponse.FromString,
    )
    events: list[service.ExtractResponse] = []
    call = extract_call(service.ExtractRequest(tables=tables, **fields))
    try:
        events.extend(call)
    except grpc.RpcError:
        details = dict(call.trailing_metadata())["grpc-status-details-bin"]
        reason = re.search(rb"[A-Z]+(_[A-Z]+)+", details)
        assert reason, details
        return events, f"{call.code().name} {reason[0].decode()}"
    return events, "OK"


def rows_in(events: list[service.ExtractResponse]) -> int:
    batches = [event.row_batch for event in events if event.HasField("row_batch")]
    return sum(len(getattr(batch, batch.table)) for batch in batches)


@pytest.fixture(scope="module")
def token(channel: grpc.Channel) -> bytes:
    """Of the last checkpoint of a whole extraction."""
    events, end = stream(channel, SHORT)
    assert end == "OK"
    assert rows_in(events) > 0
    return [event.checkpoint for event in events if event.HasField("checkpoint")][-1].resume_token


def test_the_last_token_repeats_no_row(channel: grpc.Channel, token: bytes) -> None:
    events, end = stream(channel, SHORT, resume_token=token)
    assert (rows_in(events), end) == (0, "OK")
    (table,) = events[-1].summary.tables
    assert table.status == service.TABLE_STATUS_COMPLETE
    assert table.rows > 0


def test_a_token_that_is_none_is_refused(channel: grpc.Channel) -> None:
    events, end = stream(channel, SHORT, resume_token=b"no token of this service")
    assert (events, end) == ([], "FAILED_PRECONDITION RESUME_TOKEN_INVALID")


def test_a_changed_token_is_refused(channel: grpc.Channel, token: bytes) -> None:
    changed = token[:-1] + bytes([token[-1] ^ 1])
    events, end = stream(channel, SHORT, resume_token=changed)
    assert (events, end) == ([], "FAILED_PRECONDITION RESUME_TOKEN_INVALID")


def test_a_token_of_another_request_is_refused(channel: grpc.Channel, token: bytes) -> None:
    events, end = stream(channel, OTHER, resume_token=token)
    assert (events, end) == ([], "FAILED_PRECONDITION RESUME_TOKEN_MISMATCH")


def test_a_token_of_a_later_release_is_refused(channel: grpc.Channel, token: bytes) -> None:
    later = token[:4] + bytes([token[4] + 1]) + token[5:]
    events, end = stream(channel, SHORT, resume_token=later)
    assert (events, end) == ([], "FAILED_PRECONDITION RESUME_TOKEN_VERSION")


def test_the_service_refuses_a_time_in_the_future(channel: grpc.Channel) -> None:
    request = service.ExtractRequest()
    request.updated_since.FromSeconds(int(time.time()) + 86_400)
    events, end = stream(channel, SHORT, updated_since=request.updated_since)
    assert (events, end) == ([], "INVALID_ARGUMENT BAD_REQUEST")
