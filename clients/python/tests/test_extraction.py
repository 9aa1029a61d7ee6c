import gc
import signal
import threading
import time

import grpc
import pytest

from intercom_extractor import (
    Client,
    DeadlineExceededError,
    Event,
    ExtractorError,
    TableRestartedError,
    Timing,
    UnavailableError,
)
from intercom_extractor.v1.extractor_service_pb2 import Checkpoint, RowBatch
from scripted import Call, Waits, checkpoint, progress, restarted, rows, serving, summary

LOST = grpc.StatusCode.UNAVAILABLE
TAGS = ["tags"]


def test_waits_double_and_a_checkpoint_sets_them_back() -> None:
    waits = Waits()
    calls = [
        Call([progress()], LOST),
        Call([], LOST),
        Call([rows("tags", "1"), checkpoint(1, tags=1)], LOST),
        Call([summary()]),
    ]
    with serving(*calls) as script, Client(script.address, timing=waits.timing()) as client:
        extraction = client.extract(TAGS)
        assert [row.id for _, row in extraction] == ["1"]  # type: ignore[union-attr]
    assert waits.seconds == [1, 2, 1]
    assert extraction.reconnects == 3
    assert extraction.summary is not None


def test_chance_takes_up_to_half_of_a_wait() -> None:
    waits = Waits()
    calls = [Call([progress()], LOST), Call([summary()])]
    with serving(*calls) as script, Client(script.address, timing=waits.timing(0.5)) as client:
        list(client.extract(TAGS))
    assert waits.seconds == [0.75]


def test_after_five_tries_in_a_row_the_error_is_the_callers() -> None:
    waits = Waits()
    calls = [Call([progress()], LOST)] * 6
    told: list[float] = []

    def on_reconnect(error: ExtractorError, seconds: float) -> None:
        assert isinstance(error, UnavailableError)
        told.append(seconds)

    with serving(*calls) as script, Client(script.address, timing=waits.timing()) as client:
        with pytest.raises(UnavailableError):
            list(client.extract(TAGS, on_reconnect=on_reconnect))
    assert waits.seconds == told == [1, 2, 4, 8, 16]


def test_a_server_that_never_answered_is_not_tried_again() -> None:
    waits = Waits()
    with serving(Call([], LOST)) as script:
        with Client(script.address, timing=waits.timing()) as client:
            with pytest.raises(UnavailableError):
                list(client.extract(TAGS))
    assert waits.seconds == []


def test_a_wait_that_outlasts_the_deadline_is_not_begun() -> None:
    waits = Waits()
    timing = waits.timing()
    stopped = Timing(now=lambda: 100.0, random=timing.random, wait=timing.wait)
    with serving(Call([progress()], LOST)) as script:
        with Client(script.address, timing=stopped) as client:
            with pytest.raises(DeadlineExceededError):
                list(client.extract(TAGS, timeout=0.9))
    assert waits.seconds == []


def test_last_checkpoint_covers_what_was_handed_out() -> None:
    events = [rows("tags", "1", "2"), checkpoint(1, tags=2), rows("tags", "3")]
    more = [checkpoint(2, tags=1), summary()]
    with serving(Call([*events, *more])) as script, Client(script.address) as client:
        extraction = client.extract(TAGS)
        seen = []
        for _, row in extraction:
            seen.append((row.id, extraction.last_checkpoint))  # type: ignore[union-attr]
        # The row after a checkpoint shows that all before it have been taken.
        assert seen == [("1", None), ("2", None), ("3", b"token 1")]
        assert extraction.last_checkpoint == b"token 2"


def test_events_put_a_checkpoint_behind_the_rows_that_it_covers() -> None:
    events = [rows("tags", "1"), progress(), checkpoint(1, tags=1), summary()]
    with serving(Call(events)) as script, Client(script.address) as client:
        got: list[Event] = list(client.extract(TAGS).events())
    assert [type(event).__name__ for event in got] == [
        "Progress",
        "RowBatch",
        "Checkpoint",
        "Summary",
    ]
    assert isinstance(got[1], RowBatch)
    assert isinstance(got[2], Checkpoint)


RESTART = [
    rows("companies", "1"),
    checkpoint(1, companies=1),
    restarted("companies", 2),
    rows("companies", "2", generation=2),
    checkpoint(2, generation=2, companies=1),
    summary(),
]


def test_rows_that_became_void_are_an_error_when_nobody_listens() -> None:
    with serving(Call(RESTART)) as script, Client(script.address) as client:
        read = []
        with pytest.raises(TableRestartedError, match="companies begins anew"):
            for _, row in client.extract(["companies"]):
                read.append(row.id)  # type: ignore[union-attr]
    assert read == ["1"]


def test_who_listens_is_told_before_the_new_rows() -> None:
    read: list[str] = []
    with serving(Call(RESTART)) as script, Client(script.address) as client:
        extraction = client.extract(["companies"], on_table_restarted=lambda _: read.clear())
        for _, row in extraction:
            read.append(row.id)  # type: ignore[union-attr]
    assert read == ["2"]


def test_a_restart_of_rows_that_were_never_handed_out_is_nobodys_business() -> None:
    with serving(Call([rows("companies", "1"), *RESTART[2:]])) as script:
        with Client(script.address) as client:
            assert [row.id for _, row in client.extract(["companies"])] == ["2"]  # type: ignore[union-attr]


def test_an_extraction_that_continues_another_is_told_of_any_restart() -> None:
    with serving(Call(RESTART[2:])) as script, Client(script.address) as client:
        with pytest.raises(TableRestartedError):
            list(client.extract(["companies"], resume_token=b"kept"))
    assert script.requests[0].resume_token == b"kept"


def test_leaving_the_block_cancels_the_call() -> None:
    events = [rows("tags", "1"), checkpoint(1, tags=1)]
    with serving(Call(events, holds=True)) as script, Client(script.address) as client:
        with client.extract(TAGS) as extraction:
            next(extraction)
        assert script.cancelled.wait(10)
        assert list(extraction) == []


def test_dropping_the_extraction_cancels_the_call() -> None:
    events = [rows("tags", "1"), checkpoint(1, tags=1)]
    gc.disable()
    try:
        with serving(Call(events, holds=True)) as script, Client(script.address) as client:
            for _ in client.extract(TAGS):
                break
            assert script.cancelled.wait(10)
    finally:
        gc.enable()


def test_close_from_another_thread_ends_the_iteration() -> None:
    with serving(Call([progress()], holds=True)) as script, Client(script.address) as client:
        extraction = client.extract(TAGS, on_progress=lambda _: begun.set())
        begun = threading.Event()

        def close() -> None:
            begun.wait(10)
            extraction.close()

        closer = threading.Thread(target=close)
        closer.start()
        assert list(extraction) == []
        closer.join()
        assert script.cancelled.wait(10)


def test_close_ends_a_wait_for_the_next_try() -> None:
    with serving(Call([progress()], LOST)) as script:
        with Client(script.address, timing=Timing(random=lambda: 0.0)) as client:
            extraction = client.extract(TAGS, on_reconnect=lambda *_: extraction.close())
            start = time.monotonic()
            assert list(extraction) == []
            assert time.monotonic() - start < 0.9


def test_a_single_name_is_not_taken_for_a_list_of_letters() -> None:
    with Client("localhost:1") as client, pytest.raises(TypeError, match=r'\["tags"\]'):
        client.extract("tags")


def test_close_alone_cancels_a_call_that_nobody_reads_on() -> None:
    with serving(Call([progress()], holds=True)) as script, Client(script.address) as client:
        extraction = client.extract(TAGS)
        next(extraction.events())
        extraction.close()
        assert script.cancelled.wait(10)
        assert list(extraction) == []


def test_an_interrupt_ends_the_wait_for_an_event() -> None:
    def interrupt() -> None:
        begun.wait(10)
        signal.raise_signal(signal.SIGINT)

    begun = threading.Event()
    # A process that was started in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with serving(Call([progress()], holds=True)) as script, Client(script.address) as client:
            interrupter = threading.Thread(target=interrupt)
            interrupter.start()
            with pytest.raises(KeyboardInterrupt):
                list(client.extract(TAGS, on_progress=lambda _: begun.set()))
            interrupter.join()
            assert script.cancelled.wait(10)
    finally:
        signal.signal(signal.SIGINT, before)
