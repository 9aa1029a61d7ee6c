import pytest

from intercom_extractor.delivery import Delivery, Event
from intercom_extractor.errors import BrokenStreamError
from intercom_extractor.v1.extractor_service_pb2 import (
    DeletedRecords,
    ExtractResponse,
    LivingRecords,
)
from scripted import checkpoint, progress, restarted, rows, summary


def kinds(events: object) -> list[str]:
    assert isinstance(events, tuple | list)
    return [type(event).__name__ for event in events]


def exactly_once() -> Delivery:
    return Delivery(at_least_once=False)


def feed(delivery: Delivery, *events: ExtractResponse) -> list[Event]:
    return [out for event in events for out in delivery.on_event(event)]


def test_rows_wait_for_their_checkpoint() -> None:
    delivery = exactly_once()
    assert kinds(delivery.on_event(rows("tags", "1"))) == []
    assert kinds(delivery.on_event(checkpoint(1, tags=1))) == ["RowBatch", "Checkpoint"]


def test_progress_and_notices_do_not_wait() -> None:
    delivery = exactly_once()
    notice = ExtractResponse()
    notice.notice.message = "odd"
    assert kinds(feed(delivery, rows("tags", "1"), progress(), notice)) == ["Progress", "Notice"]


def test_deletions_and_living_records_wait_as_rows_do() -> None:
    delivery = exactly_once()
    deleted = ExtractResponse(deleted_records=DeletedRecords(table="conversations"))
    living = ExtractResponse(living_records=LivingRecords(table="users", generation=1))
    assert feed(delivery, deleted, living) == []
    events = delivery.on_event(checkpoint(1))
    assert kinds(events) == ["DeletedRecords", "LivingRecords", "Checkpoint"]


def test_at_least_once_rows_do_not_wait() -> None:
    delivery = Delivery(at_least_once=True)
    assert kinds(delivery.on_event(rows("tags", "1"))) == ["RowBatch"]


def test_at_least_once_all_waits_after_a_restart_up_to_the_checkpoint() -> None:
    delivery = Delivery(at_least_once=True)
    restart = (restarted("companies", 2), rows("companies", "1", generation=2), rows("tags", "1"))
    assert feed(delivery, *restart) == []
    covering = checkpoint(1, generation=2, companies=1)
    covering.checkpoint.rows.add(table="tags", rows=1, generation=1)
    assert kinds(delivery.on_event(covering)) == [
        "TableRestarted",
        "RowBatch",
        "RowBatch",
        "Checkpoint",
    ]
    assert kinds(delivery.on_event(rows("tags", "2"))) == ["RowBatch"]


def test_a_new_stream_forgets_what_no_checkpoint_covers() -> None:
    delivery = exactly_once()
    feed(delivery, rows("tags", "1"), checkpoint(1, tags=1))
    feed(delivery, rows("tags", "2"), restarted("companies", 2))
    assert delivery.begin() == b"token 1"
    events = feed(delivery, rows("companies", "1"), rows("tags", "2"))
    assert events == []
    covering = checkpoint(2, companies=1, tags=1)
    assert kinds(delivery.on_event(covering)) == ["RowBatch", "RowBatch", "Checkpoint"]


def test_a_restart_drops_the_rows_of_its_table_alone() -> None:
    delivery = exactly_once()
    feed(delivery, rows("companies", "1"), rows("tags", "1"), restarted("companies", 2))
    covering = checkpoint(1, tags=1)
    assert kinds(delivery.on_event(covering)) == ["RowBatch", "TableRestarted", "Checkpoint"]


def test_of_two_restarts_the_last_one_is_told() -> None:
    delivery = exactly_once()
    feed(delivery, restarted("companies", 2), restarted("companies", 3))
    events = delivery.on_event(checkpoint(1))
    assert kinds(events) == ["TableRestarted", "Checkpoint"]


def test_who_continues_an_extraction_does_not_know_the_generations() -> None:
    delivery = Delivery(at_least_once=False, resume_token=b"kept")
    assert delivery.begin() == b"kept"
    feed(delivery, rows("companies", "1", generation=4))
    assert kinds(delivery.on_event(checkpoint(9, generation=4, companies=1))) == [
        "RowBatch",
        "Checkpoint",
    ]
    with pytest.raises(BrokenStreamError, match="generation 5"):
        delivery.on_event(rows("companies", "2", generation=5))


def test_a_checkpoint_counts_what_came() -> None:
    delivery = exactly_once()
    delivery.on_event(rows("tags", "1", "2"))
    with pytest.raises(BrokenStreamError, match="covers 1 tags rows, but 2 tags came"):
        delivery.on_event(checkpoint(1, tags=1))


def test_a_stream_that_ends_without_a_summary_is_broken() -> None:
    delivery = exactly_once()
    feed(delivery, rows("tags", "1"), checkpoint(1, tags=1))
    with pytest.raises(BrokenStreamError, match="without a summary"):
        delivery.on_end()


def test_a_summary_ends_it() -> None:
    delivery = exactly_once()
    assert kinds(delivery.on_event(summary())) == ["Summary"]
    delivery.on_end()
    with pytest.raises(BrokenStreamError, match="after the summary"):
        delivery.on_event(progress())


def test_an_event_of_a_newer_server_is_skipped() -> None:
    assert feed(exactly_once(), ExtractResponse()) == []
