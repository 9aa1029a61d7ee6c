"""intercom-extract --sink postgresql://...: against a real server, which is killed meanwhile."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from postgres import PASSWORD, Postgres, running_postgres
from programs import (
    ACCESS_TOKEN,
    INTERCOM_EXTRACT,
    Run,
    clean_environment,
    run_command_line,
    running_fake,
    write_expected,
)
from tables import TABLES, Row, read_rows

COMPLETE, USAGE, OUTPUT = 0, 2, 6
SMALL = ("--users=60", "--leads=25", "--companies=40", "--conversations=40")
KILLED = (
    "--users=400",
    "--leads=150",
    "--companies=250",
    "--conversations=250",
    "--latency-ms=10",
    "--scroll-ttl-ms=1500",
)
SINCE = 1_735_000_000
# What a timestamptz holds: from 4713 BC to the end of the year 294276.
FIRST_SECOND, LAST_SECOND = -210_866_803_200, 9_224_318_015_999


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


def sink_arguments(base_url: str, url: str, *more: str) -> list[str]:
    return ["extract", "--embedded", "--base-url", base_url, "--template", "all", "--sink", url, *more]


def extract_into(base_url: str, url: str, *more: str, password: str = PASSWORD) -> Run:
    run = run_command_line(*sink_arguments(base_url, url, *more), PGPASSWORD=password)
    assert password not in run.stderr, "the password was shown"
    return run


def start_into(base_url: str, url: str, log: Path, *more: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [INTERCOM_EXTRACT, *sink_arguments(base_url, url, *more)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=clean_environment(INTERCOM_ACCESS_TOKEN=ACCESS_TOKEN, PGPASSWORD=PASSWORD),
        )


def _columns(postgres: Postgres, schema: str, table: str) -> dict[str, str]:
    rows = postgres.query(
        "SELECT attname, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = "
        f"'{schema}.{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return {row["attname"] or "": row["type"] or "" for row in rows}


def _comparable(row: Row, types: dict[str, str]) -> tuple[str | None, ...]:
    def as_kept(kind: str, cell: str | None) -> str | None:
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

    return tuple(as_kept(types[name], cell) for name, cell in row.items())


def differences(postgres: Postgres, schema: str, expected: Path) -> list[str]:
    """How the tables of the schema differ from the expected files, one line for each."""
    found = []
    for table in TABLES:
        types = _columns(postgres, schema, table)
        columns = ", ".join(
            f'CASE WHEN isfinite("{name}") THEN extract(epoch FROM "{name}")::bigint::text '
            f'ELSE "{name}"::text END AS "{name}"'
            if kind == "timestamp with time zone"
            else f'"{name}"::text AS "{name}"'
            for name, kind in types.items()
        )
        rows = postgres.query(f"SELECT {columns} FROM {schema}.{table}")
        actual = Counter(_comparable(row, types) for row in rows)
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


def test_a_full_run_gives_the_expected_tables(postgres: Postgres, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract_into(fake.base_url, postgres.url("whole"))
    assert run.exit_code == COMPLETE, run
    assert differences(postgres, "whole", expected) == []
    assert "rows are in postgresql://" in run.stderr


def test_types_keys_and_comments_are_those_of_the_annotations(postgres: Postgres) -> None:
    types = _columns(postgres, "whole", "users")
    assert types["created_at"] == "timestamp with time zone"
    assert types["custom_attributes"] == "jsonb"
    assert types["session_count"] == "bigint"
    assert types["location_data_latitude"] == "double precision"
    assert types["anonymous"] == "boolean"
    assert types["id"] == "text"
    comment = postgres.query("SELECT col_description('whole.users'::regclass, 2) AS c")
    assert comment[0]["c"] == "The Intercom defined id representing the user"
    key = postgres.query(
        "SELECT count(*) AS n FROM pg_index WHERE indrelid = 'whole.users'::regclass AND indisprimary"
    )
    assert key[0]["n"] == "1"


def test_a_second_full_run_drops_what_no_longer_exists(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.url("again")
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    postgres.run(
        "INSERT INTO again.tags (id, name) VALUES ('gone', 'x');"
        "UPDATE again.users SET name = 'changed'; DELETE FROM again.leads"
    )
    # The row was written after the run began; that is how a later run knows it is not its own.
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log2", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    assert differences(postgres, "again", expected) == []


def test_an_incremental_run_drops_the_deleted_and_their_children(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.url("incremental")
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        user = postgres.query(
            "SELECT id FROM incremental.users ORDER BY updated_at DESC NULLS LAST LIMIT 1"
        )[0]["id"]
        # What Intercom no longer has: a user with a tag, and a tag of a user that changed.
        postgres.run(
            "INSERT INTO incremental.users (id, name) VALUES ('ghost', 'x');"
            "INSERT INTO incremental.users_tags (users_pk, id) VALUES ('ghost', 't'),"
            f" ('{user}', 'lost')"
        )
        run = extract_into(fake.base_url, url, "--updated-since", str(SINCE), "--find-deleted")
    assert run.exit_code == COMPLETE, run
    assert differences(postgres, "incremental", expected) == []


def test_columns_that_a_table_lacks_are_added_and_others_stay(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.url("evolved")
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        postgres.run(
            "ALTER TABLE evolved.users DROP COLUMN owner_id; ALTER TABLE evolved.tags ADD mine text"
        )
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    assert "mine" in _columns(postgres, "evolved", "tags")
    postgres.run("ALTER TABLE evolved.tags DROP COLUMN mine")
    assert differences(postgres, "evolved", expected) == []


@pytest.fixture(scope="module")
def killed_expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_expected(tmp_path_factory.mktemp("killed"), *KILLED)


@pytest.mark.parametrize("seed", range(4))
def test_kills_of_extractor_and_database_leave_every_row_once(
    postgres: Postgres, tmp_path: Path, killed_expected: Path, seed: int
) -> None:
    chance = random.Random(f"postgres {seed}")
    schema = f"killed{seed}"
    log = tmp_path / "client.log"
    kills = 0
    with running_fake(tmp_path / "log", *KILLED) as fake:
        for attempt in range(40):
            client = start_into(fake.base_url, postgres.url(schema), log)
            if kills < 4:
                time.sleep(chance.uniform(0.3, 2.0))
                if client.poll() is None:
                    kills += 1
                    if chance.random() < 0.5:
                        client.send_signal(signal.SIGKILL)
                    else:
                        postgres.kill()
                        postgres.start()
            code = client.wait(timeout=120)
            if code == COMPLETE and kills >= 3:
                break
            assert code in (COMPLETE, -signal.SIGKILL, OUTPUT), log.read_text()[-3000:]
        else:
            pytest.fail(f"not complete: {log.read_text()[-3000:]}")
    assert kills >= 3
    assert differences(postgres, schema, killed_expected) == [], log.read_text()[-3000:]


def test_of_two_instances_the_older_one_is_fenced_even_when_it_was_frozen(
    postgres: Postgres, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "older.log"
    with running_fake(tmp_path / "log", *KILLED) as fake:
        older = start_into(fake.base_url, postgres.url("fenced"), log)
        time.sleep(1.0)
        older.send_signal(signal.SIGSTOP)
        try:
            newer = extract_into(fake.base_url, postgres.url("fenced"))
            assert newer.exit_code == COMPLETE, newer
            before = postgres.query("SELECT max(updated_at) AS at FROM fenced._intercom_state")
        finally:
            older.send_signal(signal.SIGCONT)
        assert older.wait(timeout=60) == OUTPUT, log.read_text()
    assert "took over sink id default" in log.read_text()
    assert postgres.query("SELECT max(updated_at) AS at FROM fenced._intercom_state") == before
    assert differences(postgres, "fenced", killed_expected) == []


def test_wrong_passwords_hosts_and_urls_are_clear_errors(postgres: Postgres, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, postgres.url(), password="wrong-secret")
        assert refused.exit_code == OUTPUT, refused
        assert "password authentication failed" in refused.stderr
        nowhere = extract_into(fake.base_url, postgres.url(host="nowhere.invalid"))
        assert nowhere.exit_code == OUTPUT, nowhere
        assert "check the host" in nowhere.stderr
        broken = extract_into(fake.base_url, f"postgresql://etl:a@{PASSWORD}@h/db")
        assert broken.exit_code == USAGE, broken


def test_a_table_has_one_id(postgres: Postgres, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, postgres.url("shared")).exit_code == COMPLETE
        other = extract_into(fake.base_url, postgres.url("shared"), "--sink-id", "other")
    assert other.exit_code == OUTPUT, other
    assert "is filled by sink id default" in other.stderr
