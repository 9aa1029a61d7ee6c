"""Streams that each release has sent, read with the messages of today."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from extraction import CHANGES, LISTS, Recipe
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from intercom.extractor.v1 import extractor_service_pb2 as service
from raw_consumer import RawConsumer
from release_files import CONTRACT, RELEASES, STREAM, TABLES, VERSIONS, read_stream

from programs import ROOT

KEPT = (LISTS, CHANGES)
RESPONSE = "intercom.extractor.v1.ExtractResponse"


@pytest.fixture(scope="module")
def streams(version: str) -> dict[str, list[list[bytes]]]:
    """By recipe, the events of the two streams that make an extraction."""
    folder = RELEASES / version
    return {
        recipe.name: [
            list(read_stream(folder / STREAM.format(name=recipe.name, number=number)))
            for number in (1, 2)
        ]
        for recipe in KEPT
    }


def events_in(streams: dict[str, list[list[bytes]]]) -> Iterator[bytes]:
    for halves in streams.values():
        for half in halves:
            yield from half


def test_the_release_that_is_next_has_its_files() -> None:
    version = (ROOT / "release/version.txt").read_text().strip()
    assert version in VERSIONS, "make them: tests/compatibility/run.sh golden"


def test_the_streams_have_every_kind_of_event_and_all_tables(
    streams: dict[str, list[list[bytes]]],
) -> None:
    kinds: set[str] = set()
    tables: Counter[str] = Counter()
    for data in events_in(streams):
        event = service.ExtractResponse.FromString(data)
        kinds.add(event.WhichOneof("event") or "")
        if event.HasField("row_batch"):
            tables[event.row_batch.table] += len(getattr(event.row_batch, event.row_batch.table))
    # Releases that come may know more of both.
    assert kinds >= {
        "row_batch",
        "progress",
        "notice",
        "table_restarted",
        "summary",
        "checkpoint",
        "deleted_records",
        "living_records",
    }
    assert len(+tables) >= 22, f"without rows: {set(TABLES) - set(+tables)}"


def unknown_fields(message: Message) -> Iterator[str]:
    for field in UnknownFieldSet(message):
        yield f"{message.DESCRIPTOR.full_name} {field.field_number}"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                yield from unknown_fields(part)


def test_todays_messages_know_every_field(streams: dict[str, list[list[bytes]]]) -> None:
    found = Counter(
        field
        for data in events_in(streams)
        for field in unknown_fields(service.ExtractResponse.FromString(data))
    )
    assert not found


def document(message: Message) -> Any:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def test_todays_messages_read_what_those_of_the_release_read(
    version: str, streams: dict[str, list[list[bytes]]]
) -> None:
    """Names, types and values are the same, as JSON shows them."""
    files = descriptor_pb2.FileDescriptorSet.FromString(
        (RELEASES / version / CONTRACT).read_bytes()
    )
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    of_release = message_factory.GetMessageClass(pool.FindMessageTypeByName(RESPONSE))
    for data in events_in(streams):
        ours = document(service.ExtractResponse.FromString(data))
        assert ours == document(of_release.FromString(data))


@pytest.mark.parametrize("recipe", KEPT, ids=lambda recipe: recipe.name)
def test_a_consumer_finds_all_promises_kept(
    recipe: Recipe, streams: dict[str, list[list[bytes]]]
) -> None:
    consumer = RawConsumer()
    for half in streams[recipe.name]:
        consumer.begin()
        for data in half:
            consumer.on_event(service.ExtractResponse.FromString(data))
        consumer.end()
    assert consumer.complete
    assert not consumer.broken_promises
    assert consumer.rows_dropped == 0
