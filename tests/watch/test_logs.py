"""The server's log: JSON lines that name the extraction, the table and Intercom's request."""

from pathlib import Path

import grpc
import pytest
from watched import running, until

from programs import ACCESS_TOKEN

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE = (("traceparent", f"00-{TRACE_ID}-00f067aa0ba902b7-01"),)
SERVICE = "/intercom.extractor.v1.ExtractorService/"
# ExtractRequest and the like: field 1 is the connection, 2 the template, 3 tables.
ALL_TABLES = b"\x10\x03"
NOBODY = b"\x0a\x06nobody"


def test_lines_of_a_call_have_its_extraction_table_request_and_trace(tmp_path: Path) -> None:
    with running(tmp_path, "--faults", "vanish:3", level="debug") as watched:
        with grpc.insecure_channel(watched.address) as channel:
            stream = channel.unary_stream(SERVICE + "Extract")(ALL_TABLES, metadata=TRACE)
            assert sum(1 for _ in stream) > 20
            check = channel.unary_unary(SERVICE + "CheckConnection")
            check(b"", metadata=TRACE)
            with pytest.raises(grpc.RpcError):
                check(NOBODY, metadata=TRACE)
        lines = until(
            lambda: (
                [line for line in watched.log() if line["message"] == "extract ended"]
                and watched.log()
            ),
            "the call is over",
        )
        ended = watched.status()["ended"]
    [begins] = [line for line in lines if line["message"] == "extract begins"]
    assert begins["extraction"] == ended[0]["id"]
    assert begins["trace_id"] == TRACE_ID
    of_the_call = [line for line in lines if line.get("extraction") == begins["extraction"]]
    assert all(line["trace_id"] == TRACE_ID for line in of_the_call)
    gone = [line for line in of_the_call if line.get("reason") == "RECORD_GONE"]
    assert gone
    for line in gone:
        assert line["table"], line
        assert line["record_id"], line
        assert line["request_id"], line
    for message in ("check ended", "check refused"):
        [line] = [line for line in lines if line["message"] == message]
        assert line["trace_id"] == TRACE_ID
    assert ACCESS_TOKEN not in (tmp_path / "server.log").read_text()


def test_a_traceparent_that_is_none_is_left_out(tmp_path: Path) -> None:
    with running(tmp_path) as watched, grpc.insecure_channel(watched.address) as channel:
        metadata = (("traceparent", "00-XYZ"),)
        channel.unary_unary(SERVICE + "CheckConnection")(b"", metadata=metadata)
        [line] = until(
            lambda: [line for line in watched.log() if line["message"] == "check ended"],
            "the call is over",
        )
        assert "trace_id" not in line
