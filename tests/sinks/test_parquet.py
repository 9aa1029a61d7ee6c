"""The example that keeps Parquet files of what is in Kafka, against a real broker."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from fleet import Fleet, running_workspaces, working
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
from sink_campaign import WORKSPACE
from workspaces import LONG_SCROLL, SINCE, SMALL
from writer import COMPLETE, OUTPUT, USAGE, extract_into, start_into

from process import free_port
from programs import ROOT, running_fake, write_expected
from tables import TABLES, Cell, Row

EXAMPLE = ROOT / "clients/python/examples/kafka_to_parquet/kafka_to_parquet.py"
# Before the example's own: what kills it at a step.
DYING_PATH = f"{ROOT}/tests/sinks/die_at:{os.environ['KAFKA_TO_PARQUET_PATH']}"
UNREACHABLE = 5
FORMATS = ("protobuf", "json")


@pytest.fixture(scope="module")
def kafka() -> Iterator[TopicsKafka]:
    with running_topics() as broker:
        yield broker


def _start(url: str, output: Path, *flags: str, **variables: str) -> "subprocess.Popen[str]":
    python = os.environ["KAFKA_TO_PARQUET_PYTHON"]
    return subprocess.Popen(
        [python, EXAMPLE, f"--source={url}", "--output", output, *flags],
        env={**os.environ, "PYTHONPATH": os.environ["KAFKA_TO_PARQUET_PATH"], **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _read(url: str, output: Path, *flags: str, code: int = COMPLETE, **variables: str) -> str:
    process = _start(url, output, *flags, **variables)
    said, _ = process.communicate(timeout=180)
    assert process.returncode == code, said
    assert "Traceback" not in said
    return said


def _cell(value: Any) -> Cell:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


class Files:
    """What a reader of the files has, who knows nothing of their history."""

    def __init__(self, output: Path, workspace: str = "") -> None:
        self._output = output
        self._workspace = workspace

    def table(self, name: str) -> Any:
        folder = self._output / "tables" / name
        return pa.concat_tables(pq.read_table(file) for file in sorted(folder.iterdir()))

    def tables(self) -> dict[str, list[Row]]:
        found = {}
        for name in TABLES:
            rows = self.table(name).to_pylist()
            if self._workspace:
                rows = [row for row in rows if row.pop("workspace") == self._workspace]
            found[name] = [{column: _cell(cell) for column, cell in row.items()} for row in rows]
        return found


@pytest.mark.parametrize("form", FORMATS)
def test_all_tables_are_as_expected_and_a_second_run_reads_nothing(
    kafka: TopicsKafka, tmp_path: Path, form: str
) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    url, output = kafka.url(f"files-{form}.", format=form), tmp_path / "out"
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    assert "written to" in _read(url, output)
    assert differences(Files(output), expected) == []
    snapshot = (output / "tables").resolve()
    assert "0 records read" in _read(url, output)
    assert (output / "tables").resolve() == snapshot


def test_columns_have_the_types_of_the_annotations(kafka: TopicsKafka, tmp_path: Path) -> None:
    url, output = kafka.url("files-json."), tmp_path / "out"
    _read(url, output)
    users = Files(output).table("users").schema
    types = {name: str(users.field(name).type) for name in users.names}
    assert types["id"] == "string"
    assert types["created_at"] == "int64"
    assert types["location_data_latitude"] == "double"
    assert types["has_hard_bounced"] == "bool"
    assert not users.field("type").nullable
    assert users.field("id").metadata[b"primary_key"] == b"true"
    assert b"description" in users.field("created_at").metadata
    # Other types: all files are made anew, though no record has come.
    assert "0 records read" in _read(url, output, "--timestamps")
    users = Files(output).table("users").schema
    assert str(users.field("created_at").type) == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize("form", FORMATS)
def test_what_an_incremental_run_deletes_and_replaces_is_gone(
    kafka: TopicsKafka, tmp_path: Path, form: str
) -> None:
    prefix, output = f"gone-{form}.", tmp_path / "out"
    flags = (*SMALL, "--deleted-conversations=12")
    expected = write_expected(tmp_path / "expected", *flags)
    url = kafka.url(prefix, format=form)
    old = {"run": "1", "generation": "1"}

    def ghost(table: str, key: str, **changes: str) -> None:
        row = {**Files(output).table(table).to_pylist()[0], **changes}
        write(kafka.address, f"{prefix}{table}", key, json.dumps(row).encode(), old)

    with running_fake(tmp_path / "log", *flags) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        _read(url, output)
        users = Files(output).table("users").to_pylist()
        # The one that surely is read again.
        user = max(users, key=lambda user: user["updated_at"] or 0)["id"]
        # What Intercom no longer has: a user with a tag, and a tag of a user that is there.
        ghost("users", "ghost", id="ghost")
        ghost("users_tags", '["ghost","t"]', users_pk="ghost", id="t")
        ghost("users_tags", f'["{user}","lost"]', users_pk=user, id="lost")
        _read(url, output)
        before = Files(output).tables()
        assert [row["id"] for row in before["users_tags"]].count("lost") == 1
        assert "ghost" in [row["id"] for row in before["users"]]
        again = extract_into(fake.base_url, url, "--updated-since", str(SINCE), "--find-deleted")
        assert again.exit_code == COMPLETE, again
    _read(url, output)
    tombstones = [
        record.key
        for record in read_topic(kafka.address, f"{prefix}conversations")
        if record.value is None
    ]
    assert tombstones
    assert differences(Files(output), expected) == []
    # Of a conversation that was deleted: it comes late, and is gone all the same.
    gone = tombstones[0]
    ghost("conversations_tags", f'["{gone}","t"]', conversations_pk=gone, id="t")
    ghost("conversation_parts", "part", conversations_pk=gone, id="part")
    ghost("conversation_parts_attachments", '["part",0]', conversation_parts_pk="part")
    assert "3 records read" in _read(url, output)
    assert differences(Files(output), expected) == []
    # Who reads all of it for the first time has the same.
    _read(url, tmp_path / "late")
    assert differences(Files(tmp_path / "late"), expected) == []


def test_what_a_second_full_run_does_not_find_is_gone(kafka: TopicsKafka, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    url, output = kafka.url("twice.", format="json"), tmp_path / "out"
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
        row = b'{"type":"tag","id":"gone","name":"x"}'
        write(kafka.address, "twice.tags", "gone", row, {"run": "1", "generation": "1"})
        _read(url, output)
        assert len(differences(Files(output), expected)) == 1
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    _read(url, output)
    assert differences(Files(output), expected) == []


def test_rows_of_transactions_count_once_they_are_committed(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    url, output = kafka.url("open.", format="json"), tmp_path / "out"
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": "test"})
    producer.init_transactions()
    headers = {"run": "2", "generation": "1"}

    def names_after(end: Callable[[], None]) -> set[str]:
        producer.begin_transaction()
        row = b'{"type":"tag","id":"new","name":"x"}'
        producer.produce("open.tags", row, "new", headers=headers)
        producer.flush()
        end()
        _read(url, output)
        return {row["id"] for row in Files(output).table("tags").to_pylist()}

    assert "new" not in names_after(lambda: None)
    producer.abort_transaction()
    assert "new" not in names_after(producer.abort_transaction)
    assert "new" in names_after(producer.commit_transaction)


def _offsets(output: Path) -> dict[tuple[str, int], int]:
    """How far the state is; nothing before it is made."""
    try:
        with sqlite3.connect(f"file:{output}/state.sqlite?mode=ro", uri=True) as state:
            found = state.execute("SELECT topic, partition, next FROM offsets").fetchall()
    except sqlite3.OperationalError:
        return {}
    finally:
        if "state" in locals():
            state.close()
    return {(topic, partition): after for topic, partition, after in found}


def _kill_when(process: "subprocess.Popen[str]", met: Callable[[], bool], after: float) -> None:
    """Kills it at that time after it is met, or after its end."""
    deadline = time.monotonic() + 60
    while not met() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(after)
    process.kill()
    process.communicate()


@pytest.mark.parametrize("form", FORMATS)
def test_a_reader_that_is_killed_goes_on_where_it_was_and_tears_nothing(
    kafka: TopicsKafka, tmp_path: Path, killed_expected: Path, form: str
) -> None:
    chance = random.Random(f"parquet {form}")
    url, output = kafka.url(f"torn-{form}.", format=form), tmp_path / "out"
    with running_fake(tmp_path / "log", *WORKSPACE) as fake:
        assert extract_into(fake.base_url, url).exit_code == COMPLETE
    ends = {
        (at.topic, at.partition): end
        for at, end in topic_ends(admin_of(kafka.address), f"torn-{form}.").items()
        if end and "_positions" not in at.topic
    }
    midway = 0
    for _ in range(3):
        before = _offsets(output)
        reader = _start(url, output)
        _kill_when(reader, lambda before=before: _offsets(output) != before, chance.uniform(0, 0.1))
        now = _offsets(output)
        midway += before != now and any(now.get(at, 0) < end for at, end in ends.items())
        assert not (output / "tables").exists()
    assert midway >= 2, "no kill came between the first record and the last"
    # Within a table, between two, with all of them, and with them in their place unread.
    for step in (
        f"open .partial/ {chance.randint(1, 2 * len(TABLES))}",
        f"os.mkdir .partial/ {chance.randint(2, len(TABLES))}",
        "os.rename .partial 1",
        "os.rename /.tables 1",
    ):
        _read(url, output, code=-signal.SIGKILL, PYTHONPATH=DYING_PATH, DIE_AT=step)
        assert not (output / "tables").exists()
    said = _read(url, output)
    assert differences(Files(output), killed_expected) == [], said
    # Nothing is left of what was begun.
    folders = output / ".snapshots"
    assert [path.suffix for path in folders.iterdir()] == [""]
    assert len(Topics(kafka.address, f"torn-{form}.").records["users"]) == 2500


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_that_begins_anew_is_there_once(
    kafka: TopicsKafka, tmp_path: Path, form: str
) -> None:
    expected = write_expected(tmp_path / "expected", *LONG_SCROLL)
    prefix, output = f"anew-{form}.", tmp_path / "out"
    url, log = kafka.url(prefix, format=form), tmp_path / "client"
    with running_fake(tmp_path / "log", *LONG_SCROLL) as fake:
        client = start_into(fake.base_url, url, log)
        deadline = time.monotonic() + 60
        while not _ends(kafka, f"{prefix}companies"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.kill()
        client.wait()
        _read(url, output)
        torn = Files(output).table("companies").num_rows
        client = start_into(fake.base_url, url, log)
        # Also while rows come.
        while client.poll() is None:
            _read(url, output)
        assert client.wait() == COMPLETE, log.read_text()[-3000:]
    assert 0 < torn < 6000
    _read(url, output)
    generations = {record.version for record in Topics(kafka.address, prefix).records["companies"]}
    assert generations >= {(1, 1), (1, 2)}
    assert differences(Files(output), expected) == []


def _ends(kafka: TopicsKafka, topic: str) -> int:
    """Of committed records, in all partitions."""
    return sum(topic_ends(admin_of(kafka.address), topic).values())


def test_a_fleets_rows_name_their_workspace(kafka: TopicsKafka, tmp_path: Path) -> None:
    with running_workspaces(tmp_path, 3, *SMALL) as workspaces:
        fleet = Fleet(kafka, workspaces, tmp_path, "many.")
        fleet.submit("--template=all")
        with working(fleet, ["a"]) as workers:
            fleet.wait_until_done(120, workers)
            _read(fleet.sink, tmp_path / "out")
            # A whole run of one of them says nothing of the rows of the others.
            fleet.submit("--template=all", workspaces="w2")
            fleet.wait_until_done(120, workers)
        _read(fleet.sink, tmp_path / "out")
        for name in workspaces.names:
            files = Files(tmp_path / "out", name)
            assert differences(files, workspaces.expected(name)) == [], name


def test_it_runs_again_and_again_until_it_is_ended(kafka: TopicsKafka, tmp_path: Path) -> None:
    expected = write_expected(tmp_path / "expected", *SMALL)
    url, output = kafka.url("often."), tmp_path / "out"
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, url, "--tables", "tags").exit_code == COMPLETE
        reader = _start(url, output, "--every", "0.1")
        try:
            _until(lambda: (output / "tables/tags").exists())
            assert extract_into(fake.base_url, url).exit_code == COMPLETE
            _until(
                lambda: (
                    (output / "tables/users").exists()
                    and differences(Files(output), expected) == []
                )
            )
            other = _read(url, output, code=USAGE)
            assert "another process writes to" in other
        finally:
            reader.terminate()
            said, _ = reader.communicate(timeout=60)
    assert reader.returncode == 130, said
    assert "nothing has changed" in said


def _until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if met():
                return
        except FileNotFoundError:
            pass  # A snapshot that is older than two is gone.
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_cannot_be_read_is_said(kafka: TopicsKafka, tmp_path: Path) -> None:
    nobody = f"kafka://127.0.0.1:{free_port()}/?prefix=x."
    assert "check that Kafka runs there" in _read(nobody, tmp_path / "1", code=UNREACHABLE)
    none = _read(kafka.url("nothing."), tmp_path / "2", code=USAGE)
    assert "there are no topics nothing.* of a sink" in none
    secret = f"kafka://{SASL_USER}:{SASL_PASSWORD}@k:9092/"
    assert SASL_PASSWORD not in _read(secret, tmp_path / "3", code=USAGE)
    sasl = "security.protocol=SASL_PLAINTEXT&sasl.mechanism=PLAIN"
    closed = f"kafka://127.0.0.1:{kafka.sasl_port}/?{sasl}&sasl.username={SASL_USER}&prefix=twice."
    wrong = _read(closed, tmp_path / "4", code=USAGE, INTERCOM_SINK_PASSWORD="wrong-one")
    assert "refuses this reader" in wrong
    assert "wrong-one" not in wrong
    _read(closed, tmp_path / "5", INTERCOM_SINK_PASSWORD=SASL_PASSWORD)
    (tmp_path / "file").write_text("")
    assert "file" in _read(kafka.url("twice."), tmp_path / "file/out", code=OUTPUT)


def test_topics_that_were_made_anew_are_told_from_those_that_were_read(
    kafka: TopicsKafka, tmp_path: Path
) -> None:
    with running_fake(tmp_path / "log", *SMALL) as fake:
        assert extract_into(fake.base_url, kafka.url("old.")).exit_code == COMPLETE
        _read(kafka.url("old."), tmp_path / "out")
        kafka.drop("old.")
        _until(lambda: not topic_ends(admin_of(kafka.address), "old."))
        assert extract_into(fake.base_url, kafka.url("old.")).exit_code == COMPLETE
    said = _read(kafka.url("old."), tmp_path / "out", code=USAGE)
    assert "was deleted and made anew" in said
    assert "Read into a new --output" in said


def test_a_record_of_another_program_is_named(kafka: TopicsKafka, tmp_path: Path) -> None:
    made = admin_of(kafka.address).create_topics(
        [NewTopic("alien.tags", 1), NewTopic("alien._events", 1)]
    )
    for future in made.values():
        future.result(30)
    write(kafka.address, "alien.tags", "k", b"not a row", {"run": "1", "generation": "1"})
    write(kafka.address, "alien.tags", "k", b"{}", {})
    said = _read(kafka.url("alien."), tmp_path / "out", code=USAGE)
    assert "topic alien.tags, partition 0, 1: not a record of the sink" in said
