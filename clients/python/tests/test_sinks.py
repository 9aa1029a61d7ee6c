from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from intercom_extractor import Client, TableRestartedError
from intercom_extractor.arrow import ArrowTable
from intercom_extractor.v1 import tables_pb2
from scripted import Call, checkpoint, descriptions, restarted, rows, serving, summary

BOTH = ["tags", "companies"]
RESTART = [
    rows("companies", "1"),
    rows("tags", "1"),
    checkpoint(1, companies=1, tags=1),
    restarted("companies", 2),
    rows("companies", "2", "3", generation=2),
    checkpoint(2, generation=2, companies=2),
    summary(),
]


def table(name: str, timestamps: bool = False) -> ArrowTable:
    described = next(each for each in descriptions() if each.table.name == name)
    return ArrowTable(described, timestamps=timestamps)


def test_null_empty_zero_and_false_stay_apart() -> None:
    batch = table("users").record_batch(
        [
            tables_pb2.User(type="user", anonymous=False),
            tables_pb2.User(
                type="user",
                anonymous=False,
                name="",
                created_at=0,
                location_data_latitude=0.0,
                has_hard_bounced=False,
            ),
            tables_pb2.User(type="user", anonymous=False, created_at=-(2**63), name="é"),
        ]
    )
    batch.validate(full=True)
    assert batch["name"].to_pylist() == [None, "", "é"]
    assert batch["created_at"].to_pylist() == [None, 0, -(2**63)]
    assert batch["location_data_latitude"].to_pylist() == [None, 0.0, None]
    assert batch["has_hard_bounced"].to_pylist() == [None, False, None]


def test_types_and_nulls_are_those_of_the_annotations() -> None:
    schema = table("users").schema
    assert schema.field("id").type == pa.string()
    assert schema.field("created_at").type == pa.int64()
    assert schema.field("location_data_latitude").type == pa.float64()
    assert schema.field("unsubscribed_from_emails").type == pa.bool_()
    # A constant; an id may be missing in a record that is odd.
    assert not schema.field("anonymous").nullable
    assert schema.field("id").nullable
    assert not table("users_social_profiles").schema.field("ordinal").nullable
    assert schema.field("id").metadata[b"primary_key"] == b"true"
    assert schema.field("owner_id").metadata[b"references"] == b"admins.id"
    assert schema.metadata[b"description"] == b"Contacts with role user."


def test_times_are_timestamps_when_asked_for() -> None:
    batch = table("users", timestamps=True).record_batch(
        [
            tables_pb2.User(type="user", anonymous=False, created_at=1_741_590_000),
            tables_pb2.User(type="user", anonymous=False, created_at=2**63 - 1),
            tables_pb2.User(type="user", anonymous=False),
        ]
    )
    times = batch["created_at"].to_pylist()
    assert times[0].isoformat() == "2025-03-10T07:00:00+00:00"
    assert times[1:] == [None, None]


def test_tables_in_memory_have_the_rows_of_the_last_generation() -> None:
    with serving(Call(RESTART)) as script, Client(script.address) as client:
        tables = client.extract(BOTH).to_arrow_tables()
    assert {name: table["id"].to_pylist() for name, table in tables.items()} == {
        "tags": ["1"],
        "companies": ["2", "3"],
    }


def test_record_batches_tell_of_a_restart_as_rows_do() -> None:
    with serving(Call(RESTART)) as script, Client(script.address) as client:
        with pytest.raises(TableRestartedError):
            list(client.extract(BOTH).to_arrow())


def test_data_frames_have_exact_integers_and_nulls() -> None:
    event = rows("tags", "1", "2")
    users = rows("companies", "1", "2")
    users.row_batch.companies[0].user_count = 2**53 + 1
    events = [event, users, checkpoint(1, tags=2, companies=2), summary()]
    with serving(Call(events)) as script, Client(script.address) as client:
        frames = client.extract(BOTH).to_pandas()
    assert frames["companies"]["user_count"].tolist()[0] == 2**53 + 1
    assert frames["companies"]["user_count"].isna().tolist() == [False, True]


def test_parquet_files_are_there_at_the_end_alone(tmp_path: Path) -> None:
    (tmp_path / "tags.parquet").write_text("of the run before")
    with serving(Call(RESTART)) as script, Client(script.address) as client:
        seen: list[bool] = []
        extraction = client.extract(
            BOTH, on_checkpoint=lambda _: seen.append((tmp_path / "companies.parquet").exists())
        )
        files = extraction.to_parquet(tmp_path)
    assert seen == [False, False]
    assert set(files) == set(BOTH)
    assert pq.read_table(files["companies"])["id"].to_pylist() == ["2", "3"]
    assert pq.read_table(files["tags"])["id"].to_pylist() == ["1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["companies.parquet", "tags.parquet"]


def test_a_table_that_failed_replaces_no_file(tmp_path: Path) -> None:
    (tmp_path / "tags.parquet").write_text("of the run before")
    events = [rows("tags", "1"), checkpoint(1, tags=1), summary("tags")]
    with serving(Call(events)) as script, Client(script.address) as client:
        files = client.extract(BOTH).to_parquet(tmp_path)
    assert set(files) == {"companies"}
    assert (tmp_path / "tags.parquet").read_text() == "of the run before"
    assert (tmp_path / ".partial" / "tags.parquet").exists()


def test_files_of_an_extraction_that_was_closed_are_not_whole(tmp_path: Path) -> None:
    events = [rows("tags", "1"), checkpoint(1, tags=1)]
    with serving(Call(events, holds=True)) as script, Client(script.address) as client:
        extraction = client.extract(BOTH, on_checkpoint=lambda _: extraction.close())
        with pytest.raises(RuntimeError, match="closed before its end"):
            extraction.to_parquet(tmp_path)
    assert not (tmp_path / "tags.parquet").exists()


def test_a_database_has_the_old_tables_until_the_new_ones_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "intercom.duckdb"
    broken = [*RESTART[:5]]
    with serving(Call(RESTART), Call(broken)) as script, Client(script.address) as client:
        client.extract(BOTH).to_duckdb(path)
        with pytest.raises(Exception, match="without a summary"):
            client.extract(BOTH).to_duckdb(path)
    with duckdb.connect(str(path), read_only=True) as database:
        assert database.sql("select id from companies order by id").fetchall() == [("2",), ("3",)]
        assert database.sql("select id from tags").fetchall() == [("1",)]
        assert database.sql("show tables").fetchall() == [("companies",), ("tags",)]
