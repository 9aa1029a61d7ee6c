"""intercom-extract --sink kafka://...: against a real broker, which is killed meanwhile."""

import json
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sink_position_pb2
from confluent_kafka import IsolationLevel, Producer
from confluent_kafka.admin import ConfigResource, ConfigSource, NewTopic
from kafka_broker import SASL_PASSWORD, SASL_USER
from kafka_topics import (
    Topics,
    TopicsKafka,
    admin_of,
    read_topic,
    running_topics,
    topic_ends,
    write,
)
from record_streams import differences
from sink_campaign import WORKSPACE, freeze_in_transaction
from workspaces import SINCE, SMALL
from writer import COMPLETE, OUTPUT, USAGE, extract_into, start_into

from process import free_port
from programs import (
    Fake,
    running_fake,
    write_expected,
)
from tables import TABLES


@pytest.fixture(scope="module")
def kafka() -> Iterator[TopicsKafka]:
    with running_topics() as broker:
        yield broker


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_a_full_run_gives_the_expected_tables_each_row_once(
    kafka: TopicsKafka, tmp_path: Path, form: str
) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        run = extract_into(fake.base_url, kafka.url(f"whole-{form}.", format=form))
    assert run.exit_code == COMPLETE, run
    assert "rows are in kafka://" in run.stderr
    topics = Topics(kafka.address, f"whole-{form}.")
    assert topics.repeated() == []
    assert differences(topics, expected) == []


def test_a_record_has_its_key_and_says_what_it_is(kafka: TopicsKafka) -> None:
    records = read_topic(kafka.address, "whole-json.users_tags")
    assert re.fullmatch(r'\["[^"]+","[^"]+"\]', records[0].key)
    headers = records[0].headers
    assert headers["table"] == "users_tags"
    assert (headers["run"], headers["generation"]) == ("1", "1")
    assert re.fullmatch(r"v1/[0-9a-f]{8}", headers["schema_version"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", headers["extracted_at"])


def test_topics_are_made_as_the_url_says(kafka: TopicsKafka, tmp_path: Path) -> None:
    more = {"retention_ms": "1234567", "min_insync_replicas": "1"}
    url = kafka.url("made.", partitions="5", replication="1", **more)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    admin = admin_of(kafka.address)
    listed = admin.list_topics(timeout=30).topics
    assert len(listed["made.users"].partitions) == 5
    assert len(listed["made._positions"].partitions) == 1

    def made(topic: str) -> dict[str, str]:
        asked = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)])
        found = next(iter(asked.values())).result(30)
        own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return {name: entry.value for name, entry in found.items() if entry.source == own}

    rows = made("made.users")
    assert (rows["cleanup.policy"], rows["retention.ms"]) == ("compact", "1234567")
    for topic in ("made._events", "made._positions"):
        own = made(topic)
        assert (own["cleanup.policy"], own["min.insync.replicas"]) == ("compact", "1")
        assert "retention.ms" not in own


def test_a_second_full_run_says_what_no_longer_exists(kafka: TopicsKafka, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, kafka.url("again.", format="json")).exit_code == COMPLETE
        ghost = b'{"type":"tag","id":"gone","name":"x"}'
        write(kafka.address, "again.tags", "gone", ghost, {"run": "1", "generation": "1"})
        assert differences(Topics(kafka.address, "again."), expected) != [], "the test sees nothing"
        assert extract_into(fake.base_url, kafka.url("again.", format="json")).exit_code == COMPLETE
    topics = Topics(kafka.address, "again.")
    assert {record.version[0] for record in topics.records["users"]} == {1, 2}
    assert topics.repeated() == []
    assert differences(topics, expected) == []


def test_an_incremental_run_writes_tombstones_and_says_what_is_gone(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    flags = (*SMALL, "--deleted-conversations=12")
    expected = write_expected(tmp_path / "expected", *flags)
    url = kafka.url("incremental.", format="json")
    with running_fake(tmp_path / "log", *flags) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        users = read_topic(kafka.address, "incremental.users")
        # The one that surely is read again.
        user = max(users, key=lambda user: json.loads(user.value or b"")["updated_at"] or 0).key
        old = {"run": "1", "generation": "1"}
        # What Intercom no longer has: a user with a tag, and a tag of a user that is there.
        for topic, key, value in (
            ("users", "ghost", b'{"id":"ghost"}'),
            ("users_tags", '["ghost","t"]', b'{"users_pk":"ghost","id":"t"}'),
            ("users_tags", f'["{user}","lost"]', f'{{"users_pk":"{user}","id":"lost"}}'.encode()),
        ):
            write(kafka.address, f"incremental.{topic}", key, value, old)
        run = extract_into(fake.base_url, url, "--updated-since", str(SINCE), "--find-deleted")
    assert run.exit_code == COMPLETE, run
    conversations = read_topic(kafka.address, "incremental.conversations")
    tombstones = [record for record in conversations if record.value is None]
    assert tombstones
    assert {record.headers["run"] for record in tombstones} == {"2"}
    # A row of a conversation that was deleted.
    gone = tombstones[0].key
    tag = f'{{"conversations_pk":"{gone}","id":"t"}}'.encode()
    write(kafka.address, "incremental.conversations_tags", f'["{gone}","t"]', tag, old)
    assert differences(Topics(kafka.address, "incremental."), expected) == []


def _checkpoint(kafka: TopicsKafka, prefix: str) -> int:
    """Of the last position that is committed; -1: there is none."""
    topic = f"{prefix}_positions"
    if topic not in admin_of(kafka.address).list_topics(timeout=30).topics:
        return -1
    records = read_topic(kafka.address, topic)
    return int(records[-1].headers["checkpoint"]) if records else -1


def _until_checkpoint(
    kafka: TopicsKafka, prefix: str, checkpoint: int, client: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + 60
    while _checkpoint(kafka, prefix) < checkpoint:
        assert client.poll() is None, "the run ended before"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _finish(fake: Fake, url: str, log: Path) -> None:
    client = start_into(fake.base_url, url, log)
    assert client.wait(timeout=180) == COMPLETE, log.read_text()[-3000:]


# Uncommitted rows that a reader without read_committed sees show that transactions were hit.
@pytest.mark.parametrize("seed", range(3))
def test_kills_of_the_extractor_leave_every_row_once(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path, seed: int
) -> None:
    chance = random.Random(f"kafka {seed}")
    prefix, log = f"killed-{seed}.", tmp_path / "client"
    kills = 0
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        for _ in range(5):
            client = start_into(fake.base_url, kafka.url(prefix), log)
            time.sleep(chance.uniform(0.5, 1.5))
            kills += client.poll() is None
            client.kill()
            client.wait()
        _finish(fake, kafka.url(prefix), log)
    assert kills >= 4, log.read_text()[-3000:]
    topics = Topics(kafka.address, prefix)
    assert topics.repeated() == [], log.read_text()[-3000:]
    assert differences(topics, killed_expected) == [], log.read_text()[-3000:]


def test_transactions_that_a_kill_ends_never_show(kafka: TopicsKafka) -> None:
    committed = uncommitted = 0
    for seed in range(3):
        for table in TABLES:
            committed += len(read_topic(kafka.address, f"killed-{seed}.{table}"))
            uncommitted += len(
                read_topic(kafka.address, f"killed-{seed}.{table}", "read_uncommitted")
            )
    assert uncommitted > committed, "no kill hit an open transaction"


def test_whenever_the_writer_stops_readers_have_the_rows_that_the_position_counts(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    admin = admin_of(kafka.address)
    prefix, log = "together.", tmp_path / "client"
    # No table begins anew, else rows stay that the position does not count.
    flags = [flag for flag in WORKSPACE if not flag.startswith("--scroll-ttl-ms")]
    stops = 0
    with running_fake(tmp_path / "log", *flags) as fake:
        client = start_into(fake.base_url, kafka.url(prefix), log)
        try:
            _until_checkpoint(kafka, prefix, 1, client)
            while stops < 5 and client.poll() is None:
                before = topic_ends(admin, prefix)
                # The moment at which readers see something new, be it rows or position.
                while topic_ends(admin, prefix) == before and client.poll() is None:
                    pass
                client.send_signal(signal.SIGSTOP)
                stops += 1
                deadline = time.monotonic() + 30
                while (seen := _rows_seen(kafka, prefix)) != (said := _rows_said(kafka, prefix)):
                    assert time.monotonic() < deadline, f"{seen}, but the position says {said}"
                client.send_signal(signal.SIGCONT)
            assert client.wait(timeout=180) == COMPLETE, log.read_text()[-3000:]
        finally:
            client.kill()
            client.wait()
    # A busy machine may see the end come first.
    assert stops >= 3


def _rows_said(kafka: TopicsKafka, prefix: str) -> dict[str, int]:
    """By table, as the position counts them."""
    value = read_topic(kafka.address, f"{prefix}_positions")[-1].value
    position = sink_position_pb2.SinkPosition.FromString(value or b"")
    return {table: rows for table, rows in position.rows.items() if rows}


def _rows_seen(kafka: TopicsKafka, prefix: str) -> dict[str, int]:
    """The same, as they are there for readers."""
    counts = {table: len(read_topic(kafka.address, f"{prefix}{table}")) for table in TABLES}
    return {table: rows for table, rows in counts.items() if rows}


def test_a_table_that_begins_anew_is_there_once_per_key_and_generation(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path
) -> None:
    log, url = tmp_path / "client", kafka.url("scroll.")
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        client = start_into(fake.base_url, url, log)
        _until_checkpoint(kafka, "scroll.", 1, client)
        client.kill()
        client.wait()
        _finish(fake, url, log)
    topics = Topics(kafka.address, "scroll.")
    restarts = [event for event in topics.events if event["event"] == "restarted"]
    assert "companies" in {event["table"] for event in restarts}, log.read_text()
    assert {record.version for record in topics.records["companies"]} >= {(1, 2)}
    assert topics.repeated() == []
    assert differences(topics, killed_expected) == []


def test_kills_of_the_broker_leave_every_row_once(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path
) -> None:
    log, url = tmp_path / "client", kafka.url("broker.")
    chance = random.Random("broker")
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        client = start_into(fake.base_url, url, log)
        _until_checkpoint(kafka, "broker.", 1, client)
        for _ in range(2):
            assert freeze_in_transaction(client, kafka, "broker.", chance), "the run ended too soon"
            kafka.kill()
            client.send_signal(signal.SIGCONT)
            time.sleep(chance.uniform(0.0, 2.0))
            kafka.start()
        assert client.wait(timeout=180) == COMPLETE, log.read_text()[-3000:]
    topics = Topics(kafka.address, "broker.")
    assert topics.repeated() == []
    assert differences(topics, killed_expected) == [], log.read_text()[-3000:]


def test_a_broker_that_is_down_for_a_while_is_waited_for_visibly(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path
) -> None:
    log = tmp_path / "client"
    url = kafka.url("down.", transaction_timeout_ms="8000")
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        client = start_into(fake.base_url, url, log)
        _until_checkpoint(kafka, "down.", 1, client)
        assert freeze_in_transaction(client, kafka, "down.", random.Random(1)), "it ended too soon"
        kafka.kill()
        client.send_signal(signal.SIGCONT)
        try:
            deadline = time.monotonic() + 60
            while "tries again in" not in log.read_text():
                assert client.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        finally:
            kafka.start()
        assert client.wait(timeout=180) == COMPLETE, log.read_text()[-3000:]
    topics = Topics(kafka.address, "down.")
    assert topics.repeated() == []
    assert differences(topics, killed_expected) == []


def _instance(kafka: TopicsKafka, prefix: str) -> str:
    return read_topic(kafka.address, f"{prefix}_positions")[-1].headers["instance"]


@pytest.mark.parametrize("to_its_end", [False, True])
def test_of_two_instances_the_older_one_is_fenced(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path, to_its_end: bool
) -> None:
    prefix, log = f"fenced-{to_its_end}.", tmp_path / "older"
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        older = start_into(fake.base_url, kafka.url(prefix), log)
        _until_checkpoint(kafka, prefix, 1, older)
        # Else it may be done before the newer one is there.
        older.send_signal(signal.SIGSTOP)
        first = _instance(kafka, prefix)
        newer = start_into(fake.base_url, kafka.url(prefix), tmp_path / "newer")
        try:
            while _instance(kafka, prefix) == first:
                assert newer.poll() is None, (tmp_path / "newer").read_text()
                time.sleep(0.02)
            if to_its_end:
                assert newer.wait(timeout=180) == COMPLETE, (tmp_path / "newer").read_text()
                before = Topics(kafka.address, prefix).records
            older.send_signal(signal.SIGCONT)
            assert older.wait(timeout=120) == OUTPUT, log.read_text()
            assert newer.wait(timeout=180) == COMPLETE, (tmp_path / "newer").read_text()
        finally:
            older.kill()
            newer.kill()
    assert "took over sink id default" in log.read_text()
    topics = Topics(kafka.address, prefix)
    assert not to_its_end or topics.records == before
    assert topics.repeated() == []
    assert differences(topics, killed_expected) == []


def test_the_position_is_read_past_transactions_that_others_have_open(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path
) -> None:
    prefix, log = "held.", tmp_path / "client"
    positions = f"{prefix}_positions"
    admin = admin_of(kafka.address)
    other = Producer({"bootstrap.servers": kafka.address, "transactional.id": "other"})
    other.init_transactions(30)
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        client = start_into(fake.base_url, kafka.url(prefix), log)
        _until_checkpoint(kafka, prefix, 1, client)
        # As one of another sink id, which stays open while ours go on behind it.
        other.begin_transaction()
        other.produce(positions, b"", b"other", headers={"run": "0"})
        other.flush(30)
        hidden = sum(topic_ends(admin, positions, IsolationLevel.READ_UNCOMMITTED).values())
        # Two commits, with a record and a mark each.
        while sum(topic_ends(admin, positions, IsolationLevel.READ_UNCOMMITTED).values()) < (
            hidden + 4
        ):
            assert client.poll() is None, "the run ended before"
            time.sleep(0.01)
        client.kill()
        client.wait()
        client = start_into(fake.base_url, kafka.url(prefix), log)
        time.sleep(3)
        other.abort_transaction(30)
        assert client.wait(timeout=180) == COMPLETE, log.read_text()[-3000:]
    topics = Topics(kafka.address, prefix)
    assert topics.repeated() == []
    assert differences(topics, killed_expected) == []


def test_without_transactions_a_kill_repeats_rows_and_loses_none(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path
) -> None:
    log, url = tmp_path / "client", kafka.url("plain.", transactional="false", compression="zstd")
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        client = start_into(fake.base_url, url, log)
        _until_checkpoint(kafka, "plain.", 1, client)
        client.kill()
        client.wait()
        _finish(fake, url, log)
    assert differences(Topics(kafka.address, "plain."), killed_expected) == []


def test_a_refused_password_is_a_clear_error(kafka: TopicsKafka, tmp_path: Path) -> None:
    query = "?prefix=sasl.&security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN"
    url = f"kafka://127.0.0.1:{kafka.sasl_port}/{query}&sasl.username={SASL_USER}"
    with running_fake(tmp_path / "log", *SMALL) as fake:
        refused = extract_into(fake.base_url, url, password="wrong-secret")
        assert refused.exit_code == OUTPUT, refused
        assert "INTERCOM_SINK_PASSWORD" in refused.stderr
        assert extract_into(fake.base_url, url, password=SASL_PASSWORD).exit_code == COMPLETE


def test_a_record_that_is_too_large_for_its_topic_is_a_clear_error(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    small = NewTopic("large.conversation_parts", 1, 1, config={"max.message.bytes": "300"})
    admin = admin_of(kafka.address)
    for made in admin.create_topics([small]).values():
        made.result(30)
    with running_fake(tmp_path / "log", *SMALL) as fake:
        by_broker = extract_into(fake.base_url, kafka.url("large.", compression="none"))
        by_client = extract_into(fake.base_url, kafka.url("larger.", max_message_bytes="1024"))
    for refused in (by_broker, by_client):
        assert refused.exit_code == OUTPUT, refused
        assert "max.message.bytes" in refused.stderr
    assert "large.conversation_parts" in by_broker.stderr
    assert Topics(kafka.address, "larger.").records["conversations"] == []


def test_an_unreachable_broker_and_a_broken_url_are_clear_errors(tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        begin = time.monotonic()
        nobody = extract_into(fake.base_url, f"kafka://127.0.0.1:{free_port()}")
        assert nobody.exit_code == OUTPUT, nobody
        assert "check that Kafka runs there" in nobody.stderr
        assert time.monotonic() - begin < 30
        assert (
            "check the hosts" in extract_into(fake.base_url, "kafka://nowhere.invalid:9092").stderr
        )
        broken = extract_into(fake.base_url, "kafka://etl:hunter2@k:9092")
        assert broken.exit_code == USAGE, broken
        assert "hunter2" not in broken.stderr


def test_a_topic_has_one_id(kafka: TopicsKafka, tmp_path: Path) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, kafka.url("shared.")).exit_code == COMPLETE
        other = extract_into(fake.base_url, kafka.url("shared."), "--sink-id", "other")
    assert other.exit_code == OUTPUT, other
    assert "is filled by sink id default" in other.stderr
