"""intercom-extract from outside: what it writes, how it ends, what it never shows."""

import json
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import programs
from programs import (
    ACCESS_TOKEN,
    Fake,
    Run,
    clean_environment,
    extract,
    run_command_line,
    running_fake,
    running_server,
    write_expected,
)
from tables import (
    BASIC_TABLES,
    CONVERSATION_TABLES,
    DOCUMENTED,
    TABLES,
    assert_files,
    assert_json_types,
    assert_same_tables,
    raw_records,
    read_bytes,
    read_json_lines,
    read_rows,
    row_of_json,
)

pytestmark = pytest.mark.command_line

# Exit codes, as documented.
COMPLETE, USAGE, AUTHENTICATION, PARTIAL, UNREACHABLE, OUTPUT, INTERRUPTED = 0, 2, 3, 4, 5, 6, 130

# Nothing listens on this port: it is reserved and needs privileges.
NOBODY = "127.0.0.1:1"

SMALL = ("--users=40", "--leads=20", "--companies=30", "--conversations=25")
# Which request a fault hits depends on timing. Where it is one of the scroll, the extractor
# begins the scroll anew and first waits for the old one to end: Intercom's minute is too long.
FAULTY = (*SMALL, "--scroll-ttl-ms=500")
NOTHING = ("--users=0", "--leads=0", "--companies=0", "--conversations=0")
SHAPES = {
    "default": (),
    "another seed": ("--seed=2",),
    "one of each": ("--users=1", "--leads=1", "--companies=1", "--conversations=1", "--seed=3"),
    "users only": ("--users=301", "--leads=0", "--companies=0", "--conversations=0", "--seed=4"),
    "leads only": ("--users=0", "--leads=151", "--companies=11", "--conversations=30", "--seed=5"),
    "full pages": (
        "--users=100",
        "--leads=50",
        "--companies=200",
        "--conversations=150",
        "--seed=6",
    ),
    "many companies": (
        "--users=30",
        "--leads=0",
        "--companies=1001",
        "--conversations=0",
        "--seed=7",
    ),
    "long conversations": ("--users=20", "--leads=20", "--parts-per-conversation=60", "--seed=8"),
    "ten thousand people": ("--users=8000", "--leads=2000", "--conversations=10", "--seed=9"),
    "scroll parameter changes": ("--scroll-param-changes", "--seed=10"),
    "another time zone": ("--timezone=Pacific/Auckland", "--region=AU", "--seed=11"),
}


def assert_extracts(
    tmp_path: Path, flags: tuple[str, ...], *arguments: str, expect: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A full extraction gives what the fake with these flags expects; returns its counts."""
    expected = write_expected(tmp_path / "expected", *flags, *expect)
    with running_fake(tmp_path / "log", *flags) as fake:
        run = extract(fake.base_url, tmp_path / "output", "--template", "all", *arguments)
        stats = fake.stats()
    assert run.exit_code == COMPLETE, run
    assert_files(run.output, TABLES)
    assert_same_tables(run.output, expected)
    return stats


@pytest.mark.parametrize("shape", SHAPES)
def test_documented_columns_equal_the_expected_tables(tmp_path: Path, shape: str) -> None:
    documented = ("--columns", "documented")
    stats = assert_extracts(tmp_path, SHAPES[shape], *documented, expect=documented)
    assert stats["duplicates"] == 0, stats["duplicate_list"]
    assert set(stats["by_status"]) == {"200"}, stats
    assert stats["scroll"]["opened"] == 1
    assert not stats["scroll"]["open"]
    for table, columns in DOCUMENTED.items():
        header = raw_records((tmp_path / "output" / f"{table}.csv").read_bytes())[0]
        assert header.decode() == ",".join(name for name, _ in columns)


def test_a_clean_run_stays_within_the_quota(tmp_path: Path) -> None:
    stats = assert_extracts(tmp_path, ("--quota=1666/10s",))
    assert stats["duplicates"] == 0, stats["duplicate_list"]
    assert stats["rate_limited"] <= 3
    # The parts that the plan promises: pages, not records, decide what lists cost.
    assert stats["by_route"]["GET /companies/scroll"] == 3
    assert stats["by_route"]["GET /conversations/{id}"] == 60
    assert stats["by_route"]["GET /events"] == 200


@pytest.fixture(scope="module")
def all_columns(fake: Fake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default workspace as CSV files with all columns."""
    run = extract(fake.base_url, tmp_path_factory.mktemp("all"), "--template", "all")
    assert run.exit_code == COMPLETE, run
    return run.output


def test_all_columns_are_the_default(all_columns: Path, expected: Path) -> None:
    assert_files(all_columns, TABLES)
    assert_same_tables(all_columns, expected)


def test_json_lines_have_the_values_of_the_csv_files(
    fake: Fake, tmp_path: Path, all_columns: Path
) -> None:
    run = extract(fake.base_url, tmp_path, "--template", "all", "--format", "jsonl")
    assert run.exit_code == COMPLETE, run
    assert_files(run.output, TABLES, ".jsonl")

    def sortable(row: dict[str, str | None]) -> list[tuple[str, bool, str]]:
        return [(column, value is None, value or "") for column, value in row.items()]

    for table in TABLES:
        lines = read_json_lines(run.output / f"{table}.jsonl")
        for line in lines:
            assert_json_types(table, line)
        # A row's items are compared in order: nulls are written, columns stand as in the CSV.
        from_json = sorted(sortable(row_of_json(line)) for line in lines)
        from_csv = sorted(sortable(row) for row in read_rows(all_columns / f"{table}.csv"))
        assert from_json == from_csv, table


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_gzip_holds_the_same_records(fake: Fake, tmp_path: Path, file_format: str) -> None:
    packed, plain = tmp_path / "packed", tmp_path / "plain"
    flags = ("--template", "all", "--format", file_format)
    run = extract(fake.base_url, packed, *flags, "--gzip")
    assert run.exit_code == COMPLETE, run
    assert extract(fake.base_url, plain, *flags).exit_code == COMPLETE
    assert_files(packed, TABLES, f".{file_format}.gz")
    for table in TABLES:
        ours = read_bytes(packed / f"{table}.{file_format}.gz")
        theirs = read_bytes(plain / f"{table}.{file_format}")
        split = raw_records if file_format == "csv" else bytes.splitlines
        assert sorted(split(ours)) == sorted(split(theirs)), table


def write_config(path: Path, base_url: str, more: str = "") -> Path:
    path.write_text(
        "connections:\n"
        "  - name: default\n"
        f"    base_url: {base_url}\n"
        f"    access_token_env: INTERCOM_ACCESS_TOKEN\n{more}",
        encoding="utf-8",
    )
    return path


def test_a_remote_server_gives_the_same_tables(fake: Fake, tmp_path: Path, expected: Path) -> None:
    config = write_config(tmp_path / "server.yaml", fake.base_url)
    log, output = tmp_path / "log", tmp_path / "output"
    with running_server(config, log) as address:
        run = run_command_line(
            *("extract", "--server", address, "--template", "all", "--output", output),
            token=None,
            output=output,
        )
        assert run.exit_code == COMPLETE, run
        assert_files(output, TABLES)
        assert_same_tables(output, expected)
        unknown = run_command_line(
            *("extract", "--server", address, "--connection", "nobody", "--tables", "tags"),
            *("--output", tmp_path / "unknown"),
            token=None,
        )
        assert unknown.exit_code == USAGE, unknown
    assert ACCESS_TOKEN.encode() not in log.read_bytes()


@pytest.mark.parametrize("table", TABLES)
def test_a_single_table(fake: Fake, tmp_path: Path, expected: Path, table: str) -> None:
    run = extract(fake.base_url, tmp_path, "--tables", table)
    assert run.exit_code == COMPLETE, run
    assert_files(tmp_path, [table])
    assert_same_tables(tmp_path, expected, [table])


@pytest.mark.parametrize(
    ("template", "tables"), [("basic", BASIC_TABLES), ("conversations", CONVERSATION_TABLES)]
)
def test_a_template_has_its_tables(
    fake: Fake, tmp_path: Path, expected: Path, template: str, tables: list[str]
) -> None:
    run = extract(fake.base_url, tmp_path, "--template", template)
    assert run.exit_code == COMPLETE, run
    assert_files(tmp_path, tables)
    assert_same_tables(tmp_path, expected, tables)


def test_a_table_on_standard_output(fake: Fake, expected: Path) -> None:
    run = extract(fake.base_url, Path("-"), "--tables", "users")
    assert run.exit_code == COMPLETE, run
    assert sorted(raw_records(run.stdout)) == sorted(
        raw_records(read_bytes(expected / "users.csv"))
    )


def test_bodies_as_html(tmp_path: Path) -> None:
    html = ("--body-format", "html")
    assert_extracts(tmp_path, SMALL, *html, expect=html)
    assert "<p>" in (tmp_path / "output" / "conversation_parts.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_an_empty_workspace_gives_all_files(tmp_path: Path, file_format: str) -> None:
    expected = write_expected(tmp_path / "expected", *NOTHING)
    with running_fake(tmp_path / "log", *NOTHING) as fake:
        flags = ("--template", "all", "--format", file_format)
        run = extract(fake.base_url, tmp_path / "output", *flags)
    assert run.exit_code == COMPLETE, run
    assert_files(run.output, TABLES, "." + file_format)
    catalog = {"admins", "tags", "segments"}
    if file_format == "csv":
        assert_same_tables(run.output, expected)
        sizes = {table: len(read_rows(run.output / f"{table}.csv")) for table in TABLES}
    else:
        sizes = {table: len(read_json_lines(run.output / f"{table}.jsonl")) for table in TABLES}
    assert {table for table, rows in sizes.items() if rows} == catalog


FAULTS = [
    "status:500:7",
    "status:429:60",
    "status:503:5",
    "empty_body:5",
    "malformed_json:6",
    "truncate:6",
    "html_200:6",
    "reset:9",
    "slow:50:4",
    "no_rate_headers",
    "scroll_500_once",
    "vanish:5",
    "status:502:9,reset:13,truncate:17,empty_body:19",
]


@pytest.mark.parametrize("faults", FAULTS)
def test_faults_lose_and_invent_nothing(tmp_path: Path, faults: str) -> None:
    stats = assert_extracts(tmp_path, (*FAULTY, f"--faults={faults}"))
    # A scroll that broke begins anew, which reads its first pages again.
    if "scroll" not in faults:
        assert stats["duplicates"] == 0, stats["duplicate_list"]


def test_a_deleted_record_is_a_notice_with_its_table_and_id(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL, "--faults=vanish:5") as fake:
        everything = ("--template", "all")
        for_programs = extract(fake.base_url, tmp_path / "output", *everything, "--json")
        for_people = extract(fake.base_url, tmp_path / "output", *everything)
    assert for_programs.exit_code == for_people.exit_code == COMPLETE
    events = [json.loads(line) for line in for_programs.stderr.splitlines()]
    gone = [event for event in events if event.get("code") == "RECORD_GONE"]
    assert gone
    assert all(event["table"] in TABLES and event["record_id"] for event in gone), gone
    # Beyond a dozen of a kind, people are told only how many more there are.
    lines = [line for line in for_people.stderr.splitlines() if "it was deleted" in line]
    ids = {event["record_id"] for event in gone}
    assert lines
    nameless = [line for line in lines if not any(each in line for each in ids)]
    assert not nameless, nameless


def test_a_low_quota_is_kept(tmp_path: Path) -> None:
    stats = assert_extracts(tmp_path, (*SMALL, "--quota=83/2s"))
    assert stats["duplicates"] == 0, stats["duplicate_list"]
    assert stats["rate_limited"] <= 3


def test_a_scroll_of_somebody_else_is_waited_for(tmp_path: Path) -> None:
    stats = assert_extracts(tmp_path, (*SMALL, "--faults=scroll_busy:1"))
    assert stats["scroll"]["refused"] >= 1


@pytest.mark.parametrize(
    ("route", "missing"),
    [
        ("/companies", "companies"),
        ("/admins", "admins"),
        ("/tags", "tags"),
        ("/segments", "segments"),
        ("/events", "events_summary"),
    ],
)
def test_a_missing_scope_costs_one_table(tmp_path: Path, route: str, missing: str) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL, f"--faults=scope_missing:{route}") as fake:
        run = extract(fake.base_url, tmp_path / "output", "--template", "all")
    assert run.exit_code == PARTIAL, run
    assert missing in run.stderr
    others = [table for table in TABLES if table != missing]
    assert_files(run.output, others, failed=missing)
    assert_same_tables(run.output, expected, others)


def test_a_read_only_token_suffices(tmp_path: Path) -> None:
    """POST /companies/list asks for a write scope, GET /companies/scroll does not."""
    stats = assert_extracts(tmp_path, (*SMALL, "--faults=scope_missing:/companies/list"))
    assert set(stats["by_status"]) == {"200"}, stats


@pytest.mark.parametrize(
    ("arguments", "hints"),
    [
        (("--tables", "user"), ("did you mean", "users")),
        (("--tables", "conversation_part"), ("did you mean", "conversation_parts")),
        (("--template", "evrything"), ("evrything",)),
        (("--format", "xml", "--tables", "tags"), ("xml",)),
        (("--colums", "all", "--tables", "tags"), ("--colums",)),
        ((), ("--tables",)),
    ],
)
def test_usage_errors(
    fake: Fake, tmp_path: Path, arguments: tuple[str, ...], hints: tuple[str, ...]
) -> None:
    run = extract(fake.base_url, tmp_path / "output", *arguments)
    assert run.exit_code == USAGE, run
    for hint in hints:
        assert hint in run.stderr


def test_no_token_is_a_configuration_error(fake: Fake, tmp_path: Path) -> None:
    run = extract(fake.base_url, tmp_path / "output", "--tables", "tags", token=None)
    assert run.exit_code == USAGE, run
    assert "INTERCOM_ACCESS_TOKEN" in run.stderr


def test_plain_http_is_for_the_loopback_only(tmp_path: Path) -> None:
    run = extract("http://example.com", tmp_path / "output", "--tables", "tags")
    assert run.exit_code == USAGE, run


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("connections: [", "server.yaml"),
        ("connections:\n  - nmae: default\n", "did you mean name"),
        ("connections: []\n", "connections"),
        (f"connections:\n  - name: default\n    access_token: {ACCESS_TOKEN}\n", "access_token"),
    ],
)
def test_a_broken_configuration(tmp_path: Path, content: str, hint: str) -> None:
    config = tmp_path / "server.yaml"
    config.write_text(content, encoding="utf-8")
    for_server = subprocess.run(
        [str(programs.INTERCOM_SERVER), "--config", str(config)],
        capture_output=True,
        env=clean_environment(),
        timeout=programs.RUN_SECONDS,
    )
    assert for_server.returncode == USAGE
    assert hint.encode() in for_server.stderr
    assert ACCESS_TOKEN.encode() not in for_server.stderr + for_server.stdout
    run = run_command_line(
        *("extract", "--embedded", "--config", config, "--tables", "tags"),
        *("--output", tmp_path / "output"),
        output=tmp_path / "output",
    )
    assert run.exit_code == USAGE, run
    assert hint in run.stderr


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    run = run_command_line(
        *("extract", "--embedded", "--config", tmp_path / "none.yaml", "--tables", "tags"),
        *("--output", tmp_path / "output"),
    )
    assert run.exit_code == USAGE, run
    assert "none.yaml" in run.stderr


@pytest.mark.parametrize(
    "connection", [("--embedded", "--base-url", f"http://{NOBODY}"), ("--server", NOBODY)]
)
def test_an_unreachable_host(tmp_path: Path, connection: tuple[str, ...]) -> None:
    run = run_command_line(
        "extract", *connection, "--tables", "tags", "--output", tmp_path / "output"
    )
    assert run.exit_code == UNREACHABLE, run
    assert "127.0.0.1" in run.stderr


def extraction(fake: Fake, *arguments: str) -> list[str]:
    """The command for what run_command_line() cannot do."""
    connection = ("--embedded", "--base-url", fake.base_url)
    return [str(programs.INTERCOM_EXTRACT), "extract", *connection, *arguments]


def limit_file_size() -> None:
    # Ignored, the signal becomes the error of the write that went too far.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))


def test_files_that_cannot_grow(fake: Fake, tmp_path: Path) -> None:
    output = tmp_path / "output"
    run = extract(fake.base_url, output, "--template", "all", preexec=limit_file_size)
    assert run.exit_code == OUTPUT, run
    assert not list(output.glob("*.csv")), "a torn file was moved into place"


def test_a_full_disk(fake: Fake, tmp_path: Path) -> None:
    """A disk of 64 KiB, mounted in a namespace of its own that goes with the process."""
    output = tmp_path / "output"
    output.mkdir()
    mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"'
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(output)]
    if subprocess.run([*namespace, "true"], capture_output=True).returncode != 0:
        # test_files_that_cannot_grow has tested what can be tested here.
        pytest.skip("this machine lets nobody mount a small disk")
    run = subprocess.run(
        [*namespace, *extraction(fake, "--template", "all", "--output", str(output))],
        capture_output=True,
        env=clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
        timeout=programs.RUN_SECONDS,
    )
    assert run.returncode == OUTPUT, run.stderr.decode()
    assert b"No space left on device" in run.stderr


def test_a_full_standard_output(fake: Fake) -> None:
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            extraction(fake, "--tables", "users", "--output", "-"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
            timeout=programs.RUN_SECONDS,
        )
    assert run.returncode == OUTPUT, run.stderr.decode()


def test_an_output_directory_that_is_a_file(fake: Fake, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("mine", encoding="utf-8")
    run = extract(fake.base_url, output, "--tables", "tags")
    assert run.exit_code == OUTPUT, run
    assert output.read_text(encoding="utf-8") == "mine"


def test_an_interrupt_keeps_the_old_files(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / "tags.csv").write_text("the files of yesterday", encoding="utf-8")
    with running_fake(tmp_path / "log", *SMALL, "--latency-ms=60000") as fake:
        process = subprocess.Popen(
            extraction(fake, "--template", "all", "--output", str(output)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN),
        )
        try:
            deadline = time.monotonic() + programs.START_SECONDS
            while fake.stats()["in_flight"] == 0 and time.monotonic() < deadline:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=programs.RUN_SECONDS)
        finally:
            process.kill()
    assert process.returncode == INTERRUPTED, stderr.decode()
    assert (output / "tags.csv").read_text(encoding="utf-8") == "the files of yesterday"


def test_a_second_run_replaces_the_files(fake: Fake, tmp_path: Path, expected: Path) -> None:
    for _ in range(2):
        run = extract(fake.base_url, tmp_path, "--tables", "tags,users")
        assert run.exit_code == COMPLETE, run
    assert_files(tmp_path, ["tags", "users"])
    assert_same_tables(tmp_path, expected, ["tags", "users"])


def test_a_complete_run_is_not_resumed(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract(fake.base_url, tmp_path / "output", "--tables", "tags")
        assert run.exit_code == COMPLETE, run
        before = fake.stats()["total"]
        (run.output / "tags.csv").write_text("mine", encoding="utf-8")
        run = extract(fake.base_url, run.output, "--tables", "tags", "--resume")
        assert run.exit_code == COMPLETE, run
        assert "complete" in run.stderr
        assert fake.stats()["total"] == before
        other = extract(
            fake.base_url, run.output, "--tables", "tags", "--resume", "--format", "jsonl"
        )
        assert other.exit_code == USAGE, other
        assert "--format" in other.stderr, other
    assert (run.output / "tags.csv").read_text(encoding="utf-8") == "mine"


def test_resume_without_a_state_begins_anew(fake: Fake, tmp_path: Path, expected: Path) -> None:
    run = extract(fake.base_url, tmp_path, "--tables", "tags", "--resume")
    assert run.exit_code == COMPLETE, run
    assert ".intercom-extract.state" in run.stderr
    assert_same_tables(tmp_path, expected, ["tags"])


def test_resume_needs_files(fake: Fake) -> None:
    run = extract(fake.base_url, Path("-"), "--tables", "tags", "--resume")
    assert run.exit_code == USAGE, run


def test_the_state_of_a_run_is_shown_and_reset(fake: Fake, tmp_path: Path) -> None:
    assert run_command_line("state", "show", "--output", tmp_path).exit_code == USAGE
    run = extract(fake.base_url, tmp_path, "--tables", "tags")
    assert run.exit_code == COMPLETE, run
    state = tmp_path / ".intercom-extract.state"
    assert state.stat().st_mode & 0o777 == 0o600
    run = run_command_line("state", "show", "--output", tmp_path, "--json", token=None)
    assert run.exit_code == COMPLETE, run
    shown_state = json.loads(run.stdout)
    assert shown_state["status"] == "complete"
    assert shown_state["rows"] == len(read_rows(tmp_path / "tags.csv"))
    run = run_command_line("state", "reset", "--state", state, token=None)
    assert run.exit_code == COMPLETE, run
    assert not state.exists()
    assert (tmp_path / "tags.csv").exists()


def shown(run: Run) -> bytes:
    """All that a run printed and wrote."""
    everything = run.stdout + run.stderr.encode()
    if run.output.is_dir():
        for path in sorted(run.output.rglob("*")):
            everything += str(path).encode() + (read_bytes(path) if path.is_file() else b"")
    return everything


SECRET = "dG9r-very-secret-0123456789"


@pytest.mark.parametrize("way", ["environment", "file", "configuration"])
@pytest.mark.parametrize("faults", ["status:500:7", "scope_missing:/tags", "status:401:5"])
def test_the_access_token_is_never_shown(tmp_path: Path, way: str, faults: str) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(SECRET + "\n", encoding="utf-8")
    token_file.chmod(0o600)
    output = tmp_path / "output"
    flags = (*FAULTY, f"--access-token={SECRET}", f"--faults={faults}")
    with running_fake(tmp_path / "log", *flags) as fake:
        everything = ("--template", "all", "--json")
        if way == "environment":
            run = extract(fake.base_url, output, *everything, token=SECRET)
        elif way == "file":
            by_file = ("--access-token-file", token_file)
            run = extract(fake.base_url, output, *everything, *by_file, token=None)
        else:
            config = write_config(tmp_path / "server.yaml", fake.base_url)
            run = run_command_line(
                *("extract", "--embedded", "--config", config, "--output", output, *everything),
                token=SECRET,
                output=output,
            )
        assert fake.stats()["total"] > 0
    assert run.stderr
    assert SECRET.encode() not in shown(run)


def test_the_servers_log_does_not_show_the_access_token(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with running_fake(tmp_path / "log", *FAULTY, "--faults=status:500:5,reset:7") as fake:
        config = write_config(tmp_path / "server.yaml", fake.base_url)
        with running_server(config, log, "--log-level", "debug") as address:
            for command in (
                ("extract", "--template", "all", "--output", tmp_path / "o"),
                ("check",),
            ):
                run = run_command_line(
                    *command, "--server", address, token=None, output=tmp_path / "o"
                )
                assert run.exit_code == COMPLETE, run
                assert ACCESS_TOKEN.encode() not in shown(run)
    assert log.stat().st_size > 0
    assert ACCESS_TOKEN.encode() not in log.read_bytes()


def test_the_summary_counts_what_the_files_hold(fake: Fake, tmp_path: Path) -> None:
    run = extract(fake.base_url, tmp_path, "--template", "all", "--json")
    assert run.exit_code == COMPLETE, run
    summary = json.loads(run.stdout)
    counted = {table["table"]: int(table["rows"]) for table in summary["tables"]}
    assert counted == {table: len(read_rows(tmp_path / f"{table}.csv")) for table in TABLES}


def test_check_names_the_table_that_lacks_a_scope(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL, "--faults=scope_missing:/tags") as fake:
        run = run_command_line("check", "--embedded", "--base-url", fake.base_url)
    assert run.exit_code == PARTIAL, run
    assert "tags" in run.stdout.decode() + run.stderr


def test_plan_says_what_the_extraction_will_ask(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL, "--quota", "1666/10s") as fake:
        connection = ("--embedded", "--base-url", fake.base_url, "--template", "all", "--json")
        run = run_command_line("plan", *connection)
        assert run.exit_code == COMPLETE, run
        planned = json.loads(run.stdout)["plan"]
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract(fake.base_url, tmp_path / "output", "--template", "all", "--json")
        assert run.exit_code == COMPLETE, run
        summary = json.loads(run.stdout)
    made = summary["requests"]["sent"] - summary["requests"]["retries"]
    assert summary["plan"]["total"] == {"min": made, "likely": made, "max": made}
    assert abs(planned["total"]["likely"] - made) <= made / 10, planned
    assert planned["total"]["min"] <= made <= planned["total"]["max"]
    assert planned["duration_seconds"]["likely"] > 0
    assert [table["table"] for table in planned["tables"]] == list(TABLES)


def test_tables_lists_the_documented_tables_and_columns() -> None:
    run = run_command_line("tables", "--json", token=None)
    assert run.exit_code == COMPLETE, run
    assert all(table in run.stdout.decode() for table in TABLES)
