"""intercom-extract --sink nats://...: against a real server, which is killed meanwhile."""

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sink_campaign
from nats import PASSWORD
from nats_streams import ReadNats, read_streams, running_nats
from record_streams import differences
from workspaces import LONG_SCROLL, SINCE, SMALL
from writer import COMPLETE, OUTPUT, USAGE, extract_into, start_into

from process import free_port
from programs import running_fake, write_expected

SEEDS = range(4)


@pytest.fixture(scope="module")
def nats() -> Iterator[ReadNats]:
    with running_nats() as server:
        yield server


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_a_full_run_gives_the_expected_tables_each_row_once(
    nats: ReadNats, tmp_path: Path, form: str
) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract_into(fake.base_url, nats.url(f"whole-{form}", format=form))
    assert run.exit_code == COMPLETE, run
    assert "rows are in nats://" in run.stderr
    assert nats.problems(f"whole-{form}", expected) == []


def test_a_message_has_its_key_and_says_what_it_is(nats: ReadNats) -> None:
    messages = nats.messages("whole-json")
    message = next(m for m in messages if m.subject == "whole-json.users_tags")
    headers = dict(message.headers)
    assert re.fullmatch(r'\["[^"]+","[^"]+"\]', headers.pop("key"))
    assert re.fullmatch(r"[\w-]{22}", headers.pop("Nats-Msg-Id"))
    assert re.fullmatch(r"v1/[0-9a-f]{8}", headers.pop("schema_version"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", headers.pop("extracted_at"))
    assert headers == {
        "table": "users_tags",
        "run": "1",
        "generation": "1",
        "Nats-Expected-Stream": "whole-json",
    }
    assert set(json.loads(message.data)) == {"type", "id", "users_pk"}


def test_the_stream_is_made_as_the_url_says(nats: ReadNats, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        url = nats.url("made", duplicate_window="90s")
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    config = nats.ask("STREAM.INFO.made")["config"]
    assert config["duplicate_window"] == 90_000_000_000
    assert config["storage"] == "file"
    assert config["subjects"] == ["made.*"]


def test_a_second_full_run_says_what_no_longer_exists(nats: ReadNats, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    url = nats.url("again", format="json")
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        ghost = b'{"type":"tag","id":"gone","name":"x"}'
        nats.publish("again.tags", ghost, {"key": "gone", "run": "1", "generation": "1"})
        assert differences(read_streams(nats, "again"), expected) != [], "the test sees nothing"
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    users = read_streams(nats, "again").records["users"]
    assert {record.version for record in users} == {(1, 1), (2, 1)}
    assert nats.problems("again", expected) == []
    # From the memory of a writer that was frozen since then; readers tell it by its version.
    tag = read_streams(nats, "again").records["tags"][0]
    late = {"key": tag.key, "run": "1", "generation": "1"}
    nats.publish("again.tags", b'{"type":"tag","id":"late","name":"x"}', late)
    assert differences(read_streams(nats, "again"), expected) == []


def test_an_incremental_run_tells_deletions(nats: ReadNats, tmp_path: Path) -> None:
    flags = (*SMALL, "--deleted-conversations=12")
    expected = write_expected(tmp_path / "expected", *flags)
    url = nats.url("incremental", format="json")
    old = {"run": "1", "generation": "1"}
    with running_fake(tmp_path / "log", *flags) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        # The one that surely is read again.
        rows = read_streams(nats, "incremental").records["users"]
        users = [json.loads(record.value or b"") for record in rows]
        user = max(users, key=lambda user: user["updated_at"] or 0)["id"]
        # What Intercom no longer has: a user with a tag, and a tag of a user that is there.
        for table, key, value in (
            ("users", "ghost", {"id": "ghost"}),
            ("users_tags", '["ghost","t"]', {"users_pk": "ghost", "id": "t"}),
            ("users_tags", f'["{user}","lost"]', {"users_pk": user, "id": "lost"}),
        ):
            data = json.dumps(value).encode()
            nats.publish(f"incremental.{table}", data, {"key": key, **old})
        run = extract_into(fake.base_url, url, "--updated-since", str(SINCE), "--find-deleted")
    assert run.exit_code == COMPLETE, run
    conversations = read_streams(nats, "incremental").records["conversations"]
    deletions = [record for record in conversations if record.value is None]
    assert deletions
    assert {record.version for record in deletions} == {(2, 1)}
    gone = deletions[0].key
    tag = json.dumps({"conversations_pk": gone, "id": "t"}).encode()
    headers = {"key": f'["{gone}","t"]', **old}
    nats.publish("incremental.conversations_tags", tag, headers)
    assert differences(read_streams(nats, "incremental"), expected) == []


def _until_rows(nats: ReadNats, stream: str, client: subprocess.Popen[bytes], more: int) -> bool:
    """Until so many messages more are there that no position covers; false: the run ended."""
    revision, start = nats.revision(stream), nats.count(stream)
    while client.poll() is None:
        now, count = nats.revision(stream), nats.count(stream)
        if now != revision:
            revision, start = now, count
        elif count >= start + more and revision:
            return True
    return False


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_between_rows_and_position_leave_every_row_once(
    nats: ReadNats, tmp_path: Path, killed_expected: Path, kills: Counter[str], seed: int
) -> None:
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        played = sink_campaign.play(
            nats, fake, killed_expected, tmp_path / "client", f"test.{seed}"
        )
    print(played)
    kills += played.kills
    assert played.problems == [], played


def test_so_many_kills_hit_rows_that_no_position_covers(kills: Counter[str]) -> None:
    assert kills.total() >= 10, kills
    assert min(kills[sink_campaign.WRITER], kills[sink_campaign.DATABASE]) >= 3, kills


def test_beyond_the_window_rows_come_again_and_none_is_lost(
    nats: ReadNats, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    url = nats.url("beyond", duplicate_window="1s")
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, url, log)
        assert _until_rows(nats, "beyond", client, 500), log.read_text()
        client.kill()
        client.wait()
        time.sleep(2.0)
        client = start_into(fake.base_url, url, log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    streams = read_streams(nats, "beyond")
    assert streams.repeated() != []
    assert differences(streams, killed_expected) == []


def test_a_table_that_begins_anew_is_there_once_per_key_and_generation(
    nats: ReadNats, tmp_path: Path
) -> None:
    expected = write_expected(tmp_path / "expected", *LONG_SCROLL)
    log, url = tmp_path / "client", nats.url("restarted")
    with running_fake(tmp_path / "log", *LONG_SCROLL) as fake:
        client = start_into(fake.base_url, url, log)
        while nats.revision("restarted") < 2 or nats.count("restarted") < 1000:
            assert client.poll() is None, log.read_text()
        # The scroll, which nothing but its own process can go on with, breaks.
        client.kill()
        client.wait()
        client = start_into(fake.base_url, url, log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    streams = read_streams(nats, "restarted")
    marker = {"event": "restarted", "table": "companies", "run": 1, "generation": 2, "whole": True}
    assert marker in streams.events
    versions = Counter(record.version for record in streams.records["companies"])
    assert 0 < versions[1, 1] <= 6000
    assert versions[1, 2] == 6000
    assert nats.problems("restarted", expected) == []


@pytest.mark.parametrize("older_is", ["running", "frozen", "cut off"])
def test_of_two_instances_the_older_one_is_fenced(
    nats: ReadNats, tmp_path: Path, killed_expected: Path, older_is: str
) -> None:
    log, stream = tmp_path / "older", f"fenced-{older_is.replace(' ', '-')}"
    # So slow that it is not done before the newer one is there.
    usual = (flag for flag in sink_campaign.WORKSPACE if not flag.startswith("--latency-ms="))
    workspace = (*usual, "--latency-ms=150")
    with running_fake(tmp_path / "log", *workspace) as fake:
        older = start_into(fake.base_url, nats.url(stream), log)
        assert _until_rows(nats, stream, older, 1), "ended before"
        if older_is != "running":
            older.send_signal(signal.SIGSTOP)
        try:
            newer = extract_into(fake.base_url, nats.url(stream))
            assert newer.exit_code == COMPLETE, newer
            revision = nats.revision(stream)
            if older_is == "cut off":
                nats.kill()
                nats.start()
        finally:
            older.send_signal(signal.SIGCONT)
        assert older.wait(timeout=60) == OUTPUT, log.read_text()
    assert "took over sink id default" in log.read_text()
    assert nats.revision(stream) == revision
    # What the older one had in memory is dropped by its ids.
    assert nats.problems(stream, killed_expected) == []


def test_a_server_that_is_down_for_a_while_is_waited_for_visibly(
    nats: ReadNats, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, nats.url("down"), log)
        assert _until_rows(nats, "down", client, 1), log.read_text()
        nats.stop()
        while log.read_text().count("tries again in") < 2:
            assert client.poll() is None, log.read_text()
            time.sleep(0.05)
        refused = extract_into(fake.base_url, nats.url("down"))
        nats.start()
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert nats.problems("down", killed_expected) == []
    # One that begins while it is down says so at once.
    assert refused.exit_code == OUTPUT, refused
    assert "check that NATS runs there" in refused.stderr


def test_a_slow_server_slows_the_run_and_loses_nothing(
    nats: ReadNats, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake:
        client = start_into(fake.base_url, nats.url("slow"), log)
        assert _until_rows(nats, "slow", client, 1), log.read_text()
        nats.signal(signal.SIGSTOP)
        time.sleep(3.0)
        assert client.poll() is None, log.read_text()
        nats.signal(signal.SIGCONT)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert "tries again" not in log.read_text()
    assert nats.problems("slow", killed_expected) == []


def test_rows_that_are_not_acknowledged_are_not_covered_by_a_position(
    nats: ReadNats, tmp_path: Path
) -> None:
    # Fewer messages than may wait for acknowledgements.
    few = ("--users=20", "--leads=10", "--companies=20", "--conversations=10", "--latency-ms=200")
    expected = write_expected(tmp_path / "expected", *few)
    log = tmp_path / "client"
    with running_fake(tmp_path / "log", *few) as fake:
        client = start_into(fake.base_url, nats.url("silent"), log)
        while not nats.revision("silent"):
            assert client.poll() is None, log.read_text()
        config = nats.ask("STREAM.INFO.silent")["config"]
        assert "error" not in nats.ask("STREAM.UPDATE.silent", {**config, "no_ack": True})
        # It waits for 30 s; then it sees why.
        assert client.wait(timeout=120) == OUTPUT, log.read_text()[-3000:]
        assert "no acknowledgement for 30 s" in log.read_text()
        assert "acknowledges nothing" in log.read_text()
        assert nats.revision("silent") == 1
        assert "error" not in nats.ask("STREAM.UPDATE.silent", config)
        client = start_into(fake.base_url, nats.url("silent"), log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
    assert nats.problems("silent", expected) == []


def test_used_up_storage_ends_the_run_and_the_next_one_goes_on(
    tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    storage = 'jetstream: {store_dir: "FOLDER", max_file_store: 4MB}'
    with (
        running_nats(storage) as nats,
        running_fake(tmp_path / "log", *sink_campaign.WORKSPACE) as fake,
    ):
        full = extract_into(fake.base_url, nats.url("full"))
        assert full.exit_code == OUTPUT, full
        assert "look at its disk" in full.stderr
        nats.stop()
        nats.settle(storage.replace("4MB", "1GB"))
        nats.start()
        client = start_into(fake.base_url, nats.url("full"), log)
        assert client.wait(timeout=120) == COMPLETE, log.read_text()[-3000:]
        assert nats.problems("full", killed_expected) == []


def test_a_row_that_is_larger_than_the_server_takes_is_a_clear_error(tmp_path: Path) -> None:
    small = ('jetstream: {store_dir: "FOLDER"}', "max_payload: 1000")
    with running_nats(*small) as nats, running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, nats.url("large", format="json"))
    assert refused.exit_code == OUTPUT, refused
    assert "raise max_payload of the server" in refused.stderr
    assert "cannot publish to large." in refused.stderr


def test_wrong_passwords_hosts_and_urls_are_clear_errors(nats: ReadNats, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, nats.url(), password="wrong-secret")
        assert refused.exit_code == OUTPUT, refused
        assert "INTERCOM_SINK_PASSWORD" in refused.stderr
        begin = time.monotonic()
        nobody = extract_into(fake.base_url, f"nats://127.0.0.1:{free_port()}")
        assert nobody.exit_code == OUTPUT, nobody
        assert "check that NATS runs there" in nobody.stderr
        nowhere = extract_into(fake.base_url, "nats://nowhere.invalid")
        assert nowhere.exit_code == OUTPUT, nowhere
        assert time.monotonic() - begin < 30
        for url in (f"nats://etl:{PASSWORD}@h", f"nats://h?token={PASSWORD}"):
            broken = extract_into(fake.base_url, url)
            assert broken.exit_code == USAGE, broken


def test_a_server_without_jetstream_is_told_to_enable_it(tmp_path: Path) -> None:
    with running_nats("debug: false") as nats, running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, nats.url())
    assert refused.exit_code == OUTPUT, refused
    assert "JetStream" in refused.stderr


def test_subjects_of_another_stream_are_a_clear_error(nats: ReadNats, tmp_path: Path) -> None:
    nats.ask("STREAM.CREATE.other", {"name": "other", "subjects": ["mine.>"]})
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, nats.url("mine"))
    assert refused.exit_code == OUTPUT, refused
    assert "name it by stream=" in refused.stderr


def test_a_subject_has_one_id(nats: ReadNats, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, nats.url("shared")).exit_code == COMPLETE
        other = extract_into(fake.base_url, nats.url("shared"), "--sink-id", "other")
    assert other.exit_code == OUTPUT, other
    assert "is filled by sink id default" in other.stderr
