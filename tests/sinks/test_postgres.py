"""intercom-extract --sink postgresql://...: against a real server, which is killed meanwhile."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sink_campaign
from expected import columns_of, differences
from postgres import ADMIN, PASSWORD, USER, NoSmallDisk, Postgres, running_postgres
from workspaces import LONG_SCROLL, SINCE, SMALL
from writer import COMPLETE, OUTPUT, USAGE, extract_into, start_into

from programs import Fake, program, running_fake, write_expected

LIBRARY_TEST = program("POSTGRES_SERVER_TEST", "clients/sinks/postgres/postgres_server_test")

SEEDS = range(4)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


def test_a_full_run_gives_the_expected_tables(postgres: Postgres, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract_into(fake.base_url, postgres.url("whole"))
    assert run.exit_code == COMPLETE, run
    assert differences(postgres, "whole", expected) == []
    assert "rows are in postgresql://" in run.stderr


def test_types_keys_and_comments_are_those_of_the_annotations(postgres: Postgres) -> None:
    types = columns_of(postgres, "whole", "users")
    assert types["created_at"] == "timestamp with time zone"
    assert types["custom_attributes"] == "jsonb"
    assert types["session_count"] == "bigint"
    assert types["location_data_latitude"] == "double precision"
    assert types["anonymous"] == "boolean"
    assert types["id"] == "text"
    comment = postgres.query("SELECT col_description('whole.users'::regclass, 2) AS c")
    assert comment[0]["c"] == "The Intercom defined id representing the user"
    key = postgres.query(
        "SELECT count(*) AS n FROM pg_index WHERE indrelid = 'whole.users'::regclass AND"
        " indisprimary"
    )
    assert key[0]["n"] == "1"


def test_what_only_the_library_can_be_asked_for(postgres: Postgres) -> None:
    variables = {"SINK_TEST_URL": postgres.url(), "PGPASSWORD": PASSWORD}
    done = subprocess.run([LIBRARY_TEST], env={**os.environ, **variables}, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    assert b"[  PASSED  ]" in done.stdout


def test_a_second_full_run_drops_what_no_longer_exists(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.url("again")
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    postgres.run(
        "INSERT INTO again.tags (id, name) VALUES ('gone', 'x');"
        "UPDATE again.users SET name = 'changed'; DELETE FROM again.leads"
    )
    # Written before the next run begins: it takes them for an older run's, and replaces them.
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
    assert "mine" in columns_of(postgres, "evolved", "tags")
    postgres.run("ALTER TABLE evolved.tags DROP COLUMN mine")
    assert differences(postgres, "evolved", expected) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_in_mid_transaction_leave_every_row_once(
    postgres: Postgres, tmp_path: Path, killed_expected: Path, kills: Counter[str], seed: int
) -> None:
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        played = sink_campaign.play(
            postgres, fake, killed_expected, tmp_path / "client", f"test.{seed}"
        )
    print(played)
    kills += played.kills
    assert played.problems == [], played


def test_so_many_kills_hit_an_open_transaction(kills: Counter[str]) -> None:
    assert kills.total() >= 10, kills
    assert min(kills[sink_campaign.WRITER], kills[sink_campaign.DATABASE]) >= 3, kills


def _wait_for(postgres: Postgres, condition: str, client: subprocess.Popen[bytes]) -> None:
    """Until the SQL is true, which it must be before the client ends."""
    while True:
        ended = client.poll() is not None
        if postgres.query(f"SELECT {condition} AS met")[0]["met"] == "t":
            return
        assert not ended, f"the run ended before: {condition}"
        time.sleep(0.02)


def _made(postgres: Postgres, schema: str, client: subprocess.Popen[bytes]) -> None:
    """Until a run has stored its first checkpoint in the schema."""
    _wait_for(postgres, f"to_regclass('{schema}._intercom_state') IS NOT NULL", client)
    _wait_for(postgres, f"(SELECT checkpoint > 0 FROM {schema}._intercom_state)", client)


def test_a_table_that_begins_anew_loses_the_old_rows_with_the_first_new_ones(
    postgres: Postgres, tmp_path: Path
) -> None:
    expected = write_expected(tmp_path / "expected", *LONG_SCROLL)
    log, url = tmp_path / "client", postgres.url("restarted")
    with running_fake(tmp_path / "log", *LONG_SCROLL) as fake:
        client = start_into(fake.base_url, url, log)
        _made(postgres, "restarted", client)
        _wait_for(postgres, "(SELECT count(*) > 0 FROM restarted.companies)", client)
        # The scroll, which nothing but its own process can go on with, breaks.
        client.kill()
        client.wait()
        postgres.end_sessions()
        before = postgres.query("SELECT count(*) AS n FROM restarted.companies")[0]["n"]
        assert 0 < int(before or 0) < 6000, "the scroll was over"
        # As a company that Intercom no longer has when it is read again.
        postgres.run("INSERT INTO restarted.companies (id) VALUES ('gone')")
        client = start_into(fake.base_url, url, log)
        new = (
            "(SELECT generation > 1 FROM restarted._intercom_tables WHERE table_name = 'companies')"
        )
        _wait_for(postgres, new, client)
        client.send_signal(signal.SIGSTOP)
        seen = postgres.query(
            "SELECT (SELECT complete FROM restarted._intercom_state) AS complete,"
            " (SELECT count(*) FROM restarted.companies WHERE id = 'gone') AS gone,"
            " (SELECT count(*) FROM restarted.companies) AS rows"
        )[0]
        client.send_signal(signal.SIGCONT)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert seen["complete"] == "f", "seen too late to tell"
    assert seen["gone"] == "0", f"a row of the old generation stayed: {seen}"
    assert differences(postgres, "restarted", expected) == []


def _take_over(
    postgres: Postgres,
    fake: Fake,
    schema: str,
    older: subprocess.Popen[bytes],
    log: Path,
    user: str = USER,
) -> None:
    """A newer instance reads to the end; the older one, woken if it was frozen, is fenced."""
    try:
        newer = extract_into(fake.base_url, postgres.url(schema, user=user))
        assert newer.exit_code == COMPLETE, newer
        before = postgres.position(schema)
    finally:
        older.send_signal(signal.SIGCONT)
    assert older.wait(timeout=60) == OUTPUT, log.read_text()
    assert "took over sink id default" in log.read_text()
    assert postgres.position(schema) == before


def test_of_two_instances_the_older_one_is_fenced_even_when_it_was_frozen_in_a_transaction(
    postgres: Postgres, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "older"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        older = start_into(fake.base_url, postgres.url("fenced"), log)
        _made(postgres, "fenced", older)
        frozen = sink_campaign.freeze_in_transaction(older, postgres, "fenced", random.Random(1))
        assert frozen is not None, "the run ended before"
        _take_over(postgres, fake, "fenced", older, log)
    assert differences(postgres, "fenced", killed_expected) == []


def test_an_older_instance_that_runs_on_is_fenced(
    postgres: Postgres, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "older"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        older = start_into(fake.base_url, postgres.url("running_on"), log)
        _made(postgres, "running_on", older)
        _take_over(postgres, fake, "running_on", older, log)
    assert differences(postgres, "running_on", killed_expected) == []


def test_an_older_instance_whose_session_the_newer_must_not_end_is_fenced(
    postgres: Postgres, tmp_path: Path, killed_expected: Path
) -> None:
    """Where another role takes over, only the check at each commit is left."""
    log = tmp_path / "older"
    postgres.add_role("other")
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        older = start_into(fake.base_url, postgres.url("roles"), log)
        _made(postgres, "roles", older)
        postgres.run(
            "GRANT ALL ON SCHEMA roles TO other; GRANT ALL ON ALL TABLES IN SCHEMA roles TO other"
        )
        # Outside of a transaction: it holds no lock that the newer would wait for.
        while True:
            assert older.poll() is None, "the run ended before"
            older.send_signal(signal.SIGSTOP)
            if postgres.query(
                "SELECT state FROM pg_stat_activity WHERE application_name = 'intercom-extract'"
            ) == [{"state": "idle"}]:
                break
            older.send_signal(signal.SIGCONT)
        _take_over(postgres, fake, "roles", older, log, user="other")
    assert differences(postgres, "roles", killed_expected) == []


def test_a_database_that_is_down_for_a_while_is_waited_for(
    postgres: Postgres, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, postgres.url("down"), log)
        _made(postgres, "down", client)
        postgres.stop()
        while log.read_text().count("tries again in") < 2:
            assert client.poll() is None, log.read_text()
            time.sleep(0.05)
        refused = extract_into(fake.base_url, postgres.url("down"))
        postgres.start()
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert differences(postgres, "down", killed_expected) == []
    # One that begins while it is down says so at once.
    assert refused.exit_code == OUTPUT, refused
    assert "check that PostgreSQL runs there" in refused.stderr


@pytest.fixture
def small_disk(postgres: Postgres) -> Iterator[str]:
    try:
        with postgres.small_disk() as tablespace:
            yield tablespace
    except NoSmallDisk as reason:
        pytest.skip(f"no small disk: {reason}")


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(
    postgres: Postgres, tmp_path: Path, killed_expected: Path, small_disk: str
) -> None:
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        postgres.run(f"ALTER ROLE etl SET default_tablespace = {small_disk}")
        try:
            full = extract_into(fake.base_url, postgres.url("full_disk"))
        finally:
            postgres.run("ALTER ROLE etl RESET default_tablespace")
        assert full.exit_code == OUTPUT, full
        assert "No space left on device" in full.stderr
        assert "run again to go on from checkpoint" in full.stderr
        postgres.move_all(small_disk, "pg_default")
        client = start_into(fake.base_url, postgres.url("full_disk"), log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert "goes on from checkpoint" in log.read_text()
    assert differences(postgres, "full_disk", killed_expected) == []


def test_wrong_passwords_hosts_and_urls_are_clear_errors(
    postgres: Postgres, tmp_path: Path
) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, postgres.url(), password="wrong-secret")
        assert refused.exit_code == OUTPUT, refused
        assert "password authentication failed" in refused.stderr
        nowhere = extract_into(fake.base_url, postgres.url(host="nowhere.invalid"))
        assert nowhere.exit_code == OUTPUT, nowhere
        assert "check the host" in nowhere.stderr
        broken = extract_into(fake.base_url, f"postgresql://etl:a@{PASSWORD}@h/db")
        assert broken.exit_code == USAGE, broken


def test_a_role_that_may_not_make_the_schema_is_told(postgres: Postgres, tmp_path: Path) -> None:
    postgres.run(f"CREATE SCHEMA closed AUTHORIZATION {ADMIN}")
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, postgres.url("closed"))
    assert refused.exit_code == OUTPUT, refused
    assert "permission denied for schema closed" in refused.stderr


def test_a_table_has_one_id(postgres: Postgres, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, postgres.url("shared")).exit_code == COMPLETE
        other = extract_into(fake.base_url, postgres.url("shared"), "--sink-id", "other")
    assert other.exit_code == OUTPUT, other
    assert "is filled by sink id default" in other.stderr
