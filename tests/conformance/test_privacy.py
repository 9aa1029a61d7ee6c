"""What a connection's privacy rules are about leaves the server nowhere: all that is written is
searched for it, and every row is what the rules, applied slowly, make of the expected one."""

import base64
import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from said import Said, talkative_server
from treated import HASH_KEY, comparable, hashed, planted, treated, with_attributes, yaml_rules

from programs import (
    ACCESS_TOKEN,
    Run,
    clean_environment,
    run_command_line,
    running_fake,
    write_expected,
)
from tables import TABLES, Row, read_json_lines, read_rows, row_of_json

pytestmark = pytest.mark.command_line

WORKSPACE = ("--users=120", "--leads=50", "--companies=40", "--conversations=40")
# Enough to go wrong that errors and notices are made of damaged answers, too.
FAULTS = "status:500:40,malformed_json:30,vanish:2"
KEY = {"PRIVACY_HASH_KEY": HASH_KEY}


@dataclass
class Outputs:
    said: Said
    folder: Path
    expected: dict[str, list[Row]]
    runs: dict[str, Run]


def wanted(outputs: Outputs, table: str) -> list[str]:
    return sorted(comparable(treated(table, row)) for row in outputs.expected[table])


@pytest.fixture(scope="module")
def outputs(
    tmp_path_factory: pytest.TempPathFactory,
) -> Outputs:
    folder = tmp_path_factory.mktemp("privacy")
    said = Said()
    runs: dict[str, Run] = {}
    expected = write_expected(folder / "expected", *WORKSPACE)
    with (
        running_fake(folder / "fake.log", *WORKSPACE) as fake,
        running_fake(folder / "shaky.log", *WORKSPACE, f"--faults={FAULTS}") as shaky,
    ):
        connections = "".join(
            f"  - name: {name}\n    base_url: {url}\n"
            f"    access_token_env: INTERCOM_ACCESS_TOKEN\n{rules}"
            for name, url, rules in (
                ("default", fake.base_url, yaml_rules()),
                ("again", fake.base_url, yaml_rules()),
                ("shaky", shaky.base_url, yaml_rules()),
                ("plain", fake.base_url, ""),
            )
        )
        config = folder / "server.yaml"
        config.write_text(f"metrics: {{listen: '127.0.0.1:0'}}\nconnections:\n{connections}")

        def run(name: str, *arguments: str | Path, variables: dict[str, str] | None = None) -> Run:
            runs[name] = said.add(name, run_command_line(*arguments, **(variables or {})))
            return runs[name]

        log = folder / "server.log"
        environment = clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN, **KEY)
        with talkative_server(config, log, environment) as address:
            server = ("--server", address)

            def extract(name: str, *arguments: str | Path) -> Run:
                output = folder / "out" / name
                return run(name, "extract", "--output", output, *server, *arguments)

            everything = ("--template", "all")
            extract("csv", *everything, "--json")
            extract("jsonl", *everything, "--format", "jsonl", "--gzip")
            extract("again", *everything, "--connection", "again")
            extract("shaky", *everything, "--connection", "shaky")
            run("stdout", "extract", "--tables", "users", "--output", "-", *server)
            token = run("export", "state", "export", "--output", folder / "out" / "csv")
            said.texts["the resume token"] = base64.b64decode(token.stdout)
            run("tables", "tables", *server, "--connection", "default")
            run("top", "top", *server, "--json")
            said.add_pages(log)
        said.texts["server.log"] = log.read_bytes()
        run(
            "embedded",
            *("extract", "--config", config, "--output", folder / "out" / "embedded"),
            *("--template", "all", "--columns", "documented"),
            variables=KEY,
        )
    for path in (folder / "out").rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        # A quote in a CSV file is written twice.
        said.texts[str(path.relative_to(folder))] = content.replace(b'""', b'"')
    tables = {table: read_rows(expected / f"{table}.csv") for table in TABLES}
    return Outputs(said, folder, tables, runs)


def test_runs_are_complete(outputs: Outputs) -> None:
    for name in ("csv", "jsonl", "again", "stdout", "embedded", "tables"):
        assert outputs.runs[name].exit_code == 0, outputs.runs[name]
    assert b"extract ended" in outputs.said.texts["server.log"]


def test_planted_texts_are_nowhere(outputs: Outputs) -> None:
    texts = planted(outputs.expected)
    assert len(texts) > 300
    assert any("@" in text for text in texts)
    assert any("\n" in text for text in texts)
    for text in texts:
        assert outputs.said.found(text) == [], text


def test_the_same_texts_are_found_where_there_are_no_rules(
    outputs: Outputs, tmp_path: Path
) -> None:
    said = Said()
    for table in ("users", "notes", "conversation_parts"):
        path = outputs.folder / "expected" / f"{table}.csv"
        said.texts[table] = path.read_bytes().replace(b'""', b'"')
    found = [text for text in planted(outputs.expected) if said.found(text)]
    assert len(found) > 200


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_the_expected_one_with_the_rules_applied(outputs: Outputs, table: str) -> None:
    for name in ("csv", "again"):
        rows = read_rows(outputs.folder / "out" / name / f"{table}.csv")
        assert sorted(comparable(with_attributes(row)) for row in rows) == wanted(outputs, table)
    lines = read_json_lines(outputs.folder / "out" / "jsonl" / f"{table}.jsonl.gz")
    assert sorted(comparable(with_attributes(row_of_json(line))) for line in lines) == wanted(
        outputs, table
    )


def test_hashes_join_what_the_texts_would_have_joined(outputs: Outputs) -> None:
    def emails(name: str) -> dict[str, set[str]]:
        by_email: dict[str, set[str]] = {}
        for table in ("users", "leads", "admins"):
            for row in read_rows(outputs.folder / "out" / name / f"{table}.csv"):
                if row["email"] is not None:
                    by_email.setdefault(row["email"], set()).add(f"{table} {row['id']}")
        return by_email

    plain: dict[str, set[str]] = {}
    for table in ("users", "leads", "admins"):
        for row in outputs.expected[table]:
            if row["email"] is not None:
                plain.setdefault(hashed(row["email"]), set()).add(f"{table} {row['id']}")
    assert emails("csv") == emails("again") == plain
    assert len(plain) > 100


def test_tables_shows_what_is_configured(outputs: Outputs) -> None:
    text = outputs.runs["tables"].stdout.decode()
    assert re.search(r"^  email +hash +string", text, re.MULTILINE), text
    assert re.search(r"^  custom_attributes +logins: leave_out, paid: hash, ", text, re.MULTILINE)


COLUMN_RUNS: list[tuple[str, tuple[str, ...], dict[str, list[str]]]] = [
    (
        "id,email,conversation_parts.part_type",
        ("users", "conversation_parts"),
        {"users": ["id", "email"], "conversation_parts": ["id", "part_type"]},
    ),
    ("name,users_tags.*,created_at", ("users", "users_tags"), {"users": ["created_at", "name"]}),
]


@pytest.mark.parametrize(("columns", "tables", "headers"), COLUMN_RUNS)
def test_listed_columns_are_the_files_columns(
    outputs: Outputs,
    tmp_path: Path,
    columns: str,
    tables: tuple[str, ...],
    headers: dict[str, list[str]],
) -> None:
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        where = ("--embedded", "--base-url", fake.base_url, "--output", tmp_path / "out")
        listed: tuple[Any, ...] = ("--tables", ",".join(tables), "--columns", columns)
        run = run_command_line("extract", *where, *listed)
        assert run.exit_code == 0, run
        for table, header in headers.items():
            rows = read_rows(tmp_path / "out" / f"{table}.csv")
            assert [*rows[0]] == header
            want = [{name: row[name] for name in header} for row in outputs.expected[table]]
            assert sorted(map(comparable, rows)) == sorted(map(comparable, want))
        wrong = run_command_line("extract", *where, *listed[:2], "--columns", "emial,users.id")
        assert wrong.exit_code == 2
        assert 'did you mean "' in wrong.stderr
        # What only changed columns is nothing to resume.
        other = run_command_line("extract", *where, *listed[:2], "--columns", "id", "--resume")
        assert other.exit_code == 2, other
        assert "--columns was" in other.stderr, other


def test_an_incremental_run_finds_what_is_gone_with_any_columns(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        where = ("--embedded", "--base-url", fake.base_url, "--output", tmp_path / "out")
        # No key is among them but that of events.
        flags = (
            *("--tables", "users,leads,tags,events_summary"),
            *("--columns", "type,name,created_at,count"),
        )
        first = run_command_line("extract", *where, *flags)
        assert first.exit_code == 0, first
        second = run_command_line(
            "extract", *where, *flags, "--updated-since", "last", "--find-deleted"
        )
        assert second.exit_code == 0, second
        assert read_rows(tmp_path / "out" / "users.deleted.csv") == []
