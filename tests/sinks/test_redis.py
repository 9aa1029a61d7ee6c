"""intercom-extract --sink redis://...: against a real server, which is killed meanwhile."""

import contextlib
import json
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sink_campaign
from record_streams import differences
from redis import PASSWORD, RedisError
from redis_streams import ReadRedis, read_streams, running_redis
from workspaces import LONG_SCROLL, SINCE, SMALL
from writer import COMPLETE, OUTPUT, USAGE, extract_into, start_into

from process import free_port
from programs import running_fake, write_expected
from tables import TABLES

SEEDS = range(4)


@pytest.fixture(scope="module")
def redis() -> Iterator[ReadRedis]:
    with running_redis() as server:
        yield server


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_a_full_run_gives_the_expected_tables_each_row_once(
    redis: ReadRedis, tmp_path: Path, form: str
) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract_into(fake.base_url, redis.url(f"whole-{form}", format=form))
    assert run.exit_code == COMPLETE, run
    assert "rows are in redis://" in run.stderr
    assert redis.problems(f"whole-{form}", expected) == []


def test_an_entry_has_its_key_and_says_what_it_is(redis: ReadRedis) -> None:
    entry = redis.entries("whole-json:users_tags")[0]
    assert list(entry) == [
        "key",
        "value",
        "table",
        "schema_version",
        "run",
        "generation",
        "extracted_at",
    ]
    assert re.fullmatch(rb'\["[^"]+","[^"]+"\]', entry["key"])
    assert set(json.loads(entry["value"])) == {"type", "id", "users_pk"}
    assert (entry["table"], entry["run"], entry["generation"]) == (b"users_tags", b"1", b"1")
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["extracted_at"])


def test_streams_are_cut_to_about_maxlen(redis: ReadRedis, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        for _ in range(6):
            url = redis.url("cut", maxlen="50")
            assert extract_into(fake.base_url, url).exit_code == COMPLETE
    # Redis drops whole nodes, of 100 entries.
    length = redis.ask("XLEN", "cut:users")
    assert isinstance(length, int)
    assert 50 <= length <= 150


def test_a_second_full_run_says_what_no_longer_exists(redis: ReadRedis, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    url = redis.url("again", format="json")
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        ghost = '{"type":"tag","id":"gone","name":"x"}'
        _add(redis, "again:tags", "gone", ghost)
        assert differences(read_streams(redis, "again"), expected) != [], "the test sees nothing"
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    assert {entry["run"] for entry in redis.entries("again:users")} == {b"1", b"2"}
    assert redis.problems("again", expected) == []


def _add(redis: ReadRedis, stream: str, key: str, value: str) -> None:
    redis.ask("XADD", stream, "*", "key", key, "value", value, "run", "1", "generation", "1")


def test_an_incremental_run_tells_deletions(redis: ReadRedis, tmp_path: Path) -> None:
    flags = (*SMALL, "--deleted-conversations=12")
    expected = write_expected(tmp_path / "expected", *flags)
    url = redis.url("incremental", format="json")
    with running_fake(tmp_path / "log", *flags) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        # The one that surely is read again.
        users = [json.loads(entry["value"]) for entry in redis.entries("incremental:users")]
        user = max(users, key=lambda user: user["updated_at"] or 0)["id"]
        # What Intercom no longer has: a user with a tag, and a tag of a user that is there.
        for table, key, value in (
            ("users", "ghost", {"id": "ghost"}),
            ("users_tags", '["ghost","t"]', {"users_pk": "ghost", "id": "t"}),
            ("users_tags", f'["{user}","lost"]', {"users_pk": user, "id": "lost"}),
        ):
            _add(redis, f"incremental:{table}", key, json.dumps(value))
        run = extract_into(fake.base_url, url, "--updated-since", str(SINCE), "--find-deleted")
    assert run.exit_code == COMPLETE, run
    conversations = redis.entries("incremental:conversations")
    deletions = [entry for entry in conversations if "deleted" in entry]
    assert deletions
    for entry in deletions:
        assert set(entry) == {"key", "deleted", "table", "schema_version", "run", "generation"}
        assert entry["run"] == b"2"
    gone = deletions[0]["key"].decode()
    tag = json.dumps({"conversations_pk": gone, "id": "t"})
    _add(redis, "incremental:conversations_tags", f'["{gone}","t"]', tag)
    assert differences(read_streams(redis, "incremental"), expected) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_in_mid_transaction_leave_every_row_once(
    redis: ReadRedis, tmp_path: Path, killed_expected: Path, kills: Counter[str], seed: int
) -> None:
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        played = sink_campaign.play(
            redis, fake, killed_expected, tmp_path / "client", f"test.{seed}"
        )
    print(played)
    kills += played.kills
    assert played.problems == [], played


def test_so_many_kills_hit_an_open_transaction(kills: Counter[str]) -> None:
    assert kills.total() >= 10, kills
    assert min(kills[sink_campaign.WRITER], kills[sink_campaign.DATABASE]) >= 3, kills


@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_kills_of_redis_while_it_writes_leave_every_row_once(
    tmp_path: Path, killed_expected: Path, fsync: str
) -> None:
    """At any moment: also between the rows and the position of a commit, in its file."""
    chance = random.Random(fsync)
    log = tmp_path / "client"
    with (
        running_redis("--appendfsync", fsync) as redis,
        running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake,
    ):
        client = start_into(fake.base_url, redis.url("written"), log)
        killed = 0
        while killed < 4 and client.poll() is None:
            _until(redis, "written", 1, client)
            time.sleep(chance.uniform(0.0, 0.1))
            redis.kill()
            redis.start()
            killed += client.poll() is None
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
        assert killed >= 3
        assert redis.problems("written", killed_expected) == [], log.read_text()[-3000:]


def test_a_file_that_ends_between_rows_and_their_position_leaves_every_row_once(
    tmp_path: Path, killed_expected: Path
) -> None:
    """As a machine leaves it that dies there."""
    with (
        running_redis() as redis,
        running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake,
    ):
        assert extract_into(fake.base_url, redis.url("torn")).exit_code == COMPLETE
        redis.stop()
        written = redis.file().read_bytes()
        stores = rb"\*\d+\r\n\$4\r\nHSET\r\n\$\d+\r\ntorn:_positions:default\r\n\$8\r\nposition"
        ends = [found.start() for found in re.finditer(stores, written)]
        assert len(ends) >= 3
        redis.file().write_bytes(written[: ends[len(ends) // 2]])
        redis.start()
        run = extract_into(fake.base_url, redis.url("torn"))
        assert run.exit_code == COMPLETE, run
        assert "goes on from checkpoint" in run.stderr
        assert redis.problems("torn", killed_expected) == []


def _until(redis: ReadRedis, place: str, commits: int, client: subprocess.Popen[bytes]) -> None:
    """Until so many commits more are there, or the run has ended."""
    seen = redis.ask("HGET", f"{place}:_positions:default", "position")
    while commits and client.poll() is None:
        now = redis.ask("HGET", f"{place}:_positions:default", "position")
        commits -= now != seen
        seen = now
        time.sleep(0.005)


def test_a_table_that_begins_anew_is_there_once_per_key_and_generation(
    redis: ReadRedis, tmp_path: Path
) -> None:
    expected = write_expected(tmp_path / "expected", *LONG_SCROLL)
    log, url = tmp_path / "client", redis.url("restarted")
    with running_fake(tmp_path / "log", *LONG_SCROLL) as fake:
        client = start_into(fake.base_url, url, log)
        while not redis.ask("XLEN", "restarted:companies"):
            assert client.poll() is None, log.read_text()
            time.sleep(0.01)
        # The scroll, which nothing but its own process can go on with, breaks.
        client.kill()
        client.wait()
        assert 0 < len(redis.entries("restarted:companies")) < 6000, "the scroll was over"
        client = start_into(fake.base_url, url, log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    streams = read_streams(redis, "restarted")
    marker = {"event": "restarted", "table": "companies", "run": 1, "generation": 2, "whole": True}
    assert marker in streams.events
    versions = Counter(record.version for record in streams.records["companies"])
    assert versions[1, 1] > 0
    assert versions[1, 2] == 6000
    assert redis.problems("restarted", expected) == []


@pytest.mark.parametrize("older_is", ["running", "frozen", "cut off"])
def test_of_two_instances_the_older_one_is_fenced(
    redis: ReadRedis, tmp_path: Path, killed_expected: Path, older_is: str
) -> None:
    log, place = tmp_path / "older", f"fenced-{older_is.replace(' ', '-')}"
    # So slow that it is not done before the newer one is there.
    usual = (flag for flag in sink_campaign.WORKSPACE if not flag.startswith("--latency-ms="))
    workspace = (*usual, "--latency-ms=150")
    with running_fake(tmp_path / "log", *workspace) as fake:
        older = start_into(fake.base_url, redis.url(place), log)
        _until(redis, place, 2, older)
        if older_is != "running":
            chance = random.Random(1)
            assert sink_campaign.freeze_in_transaction(older, redis, place, chance), "ended before"
        try:
            newer = extract_into(fake.base_url, redis.url(place))
            assert newer.exit_code == COMPLETE, newer
            before = redis.position(place)
            if older_is == "cut off":
                redis.kill()
                redis.start()
        finally:
            older.send_signal(signal.SIGCONT)
        assert older.wait(timeout=60) == OUTPUT, log.read_text()
    assert "took over sink id default" in log.read_text()
    assert redis.position(place) == before
    assert redis.problems(place, killed_expected) == []


def test_a_redis_that_is_down_for_a_while_is_waited_for_visibly(
    redis: ReadRedis, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, redis.url("down"), log)
        _until(redis, "down", 2, client)
        redis.stop()
        while log.read_text().count("tries again in") < 2:
            assert client.poll() is None, log.read_text()
            time.sleep(0.05)
        refused = extract_into(fake.base_url, redis.url("down"))
        redis.start()
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert redis.problems("down", killed_expected) == []
    # One that begins while it is down says so at once.
    assert refused.exit_code == OUTPUT, refused
    assert "check that Redis runs there" in refused.stderr


def test_a_slow_redis_slows_the_run_and_loses_nothing(
    redis: ReadRedis, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, redis.url("slow"), log)
        _until(redis, "slow", 1, client)
        redis.signal(signal.SIGSTOP)
        time.sleep(3.0)
        assert client.poll() is None, log.read_text()
        redis.signal(signal.SIGCONT)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert "tries again" not in log.read_text()
    assert redis.problems("slow", killed_expected) == []


def test_used_up_memory_ends_the_run_and_the_next_one_goes_on(
    tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    with (
        running_redis("--maxmemory", "8mb", "--maxmemory-policy", "noeviction") as redis,
        running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake,
    ):
        full = extract_into(fake.base_url, redis.url("full"))
        assert full.exit_code == OUTPUT, full
        assert "its maxmemory is used up" in full.stderr
        assert "run again to go on from checkpoint" in full.stderr
        redis.ask("CONFIG", "SET", "maxmemory", "1gb")
        client = start_into(fake.base_url, redis.url("full"), log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
        assert "goes on from checkpoint" in log.read_text()
        assert redis.problems("full", killed_expected) == []


def test_a_redis_that_throws_rows_away_is_refused(redis: ReadRedis, tmp_path: Path) -> None:
    redis.ask("CONFIG", "SET", "maxmemory", "1gb")
    redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with running_fake(tmp_path / "log", *SMALL) as fake:
            refused = extract_into(fake.base_url, redis.url("evicting"))
    finally:
        redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        redis.ask("CONFIG", "SET", "maxmemory", "0")
    assert refused.exit_code == OUTPUT, refused
    assert "set it to noeviction" in refused.stderr


def test_a_stream_that_becomes_something_else_loses_no_row(
    redis: ReadRedis, tmp_path: Path, killed_expected: Path
) -> None:
    """The one thing that Redis does not undo: a command that fails in a transaction."""
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, redis.url("odd"), log)
        _until(redis, "odd", 1, client)
        with contextlib.suppress(RedisError):  # Where there is none yet.
            redis.ask("RENAME", "odd:conversation_parts", "odd:kept")
        redis.ask("SET", "odd:conversation_parts", "a text")
        assert client.wait(timeout=60) == OUTPUT, log.read_text()[-3000:]
        assert "is no stream: delete it" in log.read_text()
        refused = extract_into(fake.base_url, redis.url("odd"))
        assert "key odd:conversation_parts" in refused.stderr
        assert redis.ask("GET", "odd:conversation_parts") == b"a text"
        redis.ask("DEL", "odd:conversation_parts")
        with contextlib.suppress(RedisError):
            redis.ask("RENAME", "odd:kept", "odd:conversation_parts")
        client = start_into(fake.base_url, redis.url("odd"), log)
        assert client.wait(timeout=60) == COMPLETE, log.read_text()[-3000:]
    # Rows that were written beside those that were not come twice.
    assert differences(read_streams(redis, "odd"), killed_expected) == []


def test_wrong_passwords_hosts_and_urls_are_clear_errors(redis: ReadRedis, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, redis.url(), password="wrong-secret")
        assert refused.exit_code == OUTPUT, refused
        assert "WRONGPASS" in refused.stderr
        assert "INTERCOM_SINK_PASSWORD" in refused.stderr
        begin = time.monotonic()
        nobody = extract_into(fake.base_url, f"redis://127.0.0.1:{free_port()}")
        assert nobody.exit_code == OUTPUT, nobody
        assert "check that Redis runs there" in nobody.stderr
        nowhere = extract_into(fake.base_url, "redis://nowhere.invalid")
        assert nowhere.exit_code == OUTPUT, nowhere
        assert time.monotonic() - begin < 30
        for url in (f"redis://etl:{PASSWORD}@h", f"redis://h?password={PASSWORD}", "rediss://h"):
            broken = extract_into(fake.base_url, url)
            assert broken.exit_code == USAGE, broken


def test_a_user_that_may_not_write_is_told_what_to_grant(redis: ReadRedis, tmp_path: Path) -> None:
    redis.ask("ACL", "SETUSER", "reader", "on", f">{PASSWORD}", "~*", "+@read", "+@connection")
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, redis.url("closed", user="reader"))
    assert refused.exit_code == OUTPUT, refused
    assert "grant the user +@stream" in refused.stderr


def test_a_stream_has_one_id(redis: ReadRedis, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, redis.url("shared")).exit_code == COMPLETE
        other = extract_into(fake.base_url, redis.url("shared"), "--sink-id", "other")
    assert other.exit_code == OUTPUT, other
    assert "is filled by sink id default" in other.stderr
    assert set(redis.texts("HKEYS", "shared:_tables")) == set(TABLES)
