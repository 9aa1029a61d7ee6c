"""Streams that servers of earlier releases have sent, read by the clients of today."""

from collections import Counter
from pathlib import Path

import pytest
from intercom.extractor.v1 import extractor_service_pb2 as service
from release_files import RELEASES, STREAM, VERSIONS, read_stream

from drivers import Driver, Request
from scripted import LOST, Call, ScriptedServer
from tables import TABLES, read_rows

# As tests/compatibility/extraction.py asks for them.
REQUESTS = {
    "lists": Request(template="all"),
    "changes": Request(template="all", updated_since=1_735_000_000, find_deleted=True),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", REQUESTS)
def test_a_stream_of_each_release_is_read_over_two_connections(
    driver: Driver, tmp_path: Path, version: str, name: str
) -> None:
    first, second = (
        list(read_stream(RELEASES / version / STREAM.format(name=name, number=number)))
        for number in (1, 2)
    )
    with ScriptedServer(Call(first, LOST), Call(second)) as server:
        result = driver.run(tmp_path / "run", server.address, REQUESTS[name])
    assert result.error is None
    assert result.json["reconnects"] == 1
    # The first stream's last event is the checkpoint that the second one continues.
    token = service.ExtractResponse.FromString(first[-1]).checkpoint.resume_token
    assert [request.resume_token for request in server.requests] == [b"", token]
    summary = service.ExtractResponse.FromString(second[-1]).summary
    counted = Counter({table.table: table.rows for table in summary.tables})
    written = Counter({table: len(read_rows(result.output / f"{table}.csv")) for table in TABLES})
    assert written == counted
