"""An extractor server inside the test, which plays one script for each call of Extract."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from intercom_extractor import Timing
from intercom_extractor.v1 import annotations_pb2, tables_pb2
from intercom_extractor.v1 import extractor_service_pb2 as service
from intercom_extractor.v1.extractor_service_pb2_grpc import (
    ExtractorServiceServicer,
    add_ExtractorServiceServicer_to_server,
)

# Their stubs do not say that they are extensions.
EXTENSIONS: Any = annotations_pb2


@dataclass(frozen=True)
class Call:
    """Sends the events, then waits to be cancelled where it `holds`, then ends."""

    events: Sequence[service.ExtractResponse]
    code: grpc.StatusCode = grpc.StatusCode.OK
    holds: bool = False


@dataclass
class Script(ExtractorServiceServicer):
    calls: Sequence[Call]
    requests: list[service.ExtractRequest] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    def ListTables(self, request: service.ListTablesRequest, context: Any) -> Any:
        return service.ListTablesResponse(tables=descriptions())

    def Extract(
        self, request: service.ExtractRequest, context: Any
    ) -> Iterator[service.ExtractResponse]:
        call = self.calls[len(self.requests)]
        self.requests.append(request)
        if call.holds:
            context.add_callback(self.cancelled.set)
        yield from call.events
        if call.holds:
            self.cancelled.wait(30)
        if call.code is not grpc.StatusCode.OK:
            context.abort(call.code, "scripted")


@contextmanager
def serving(*calls: Call) -> Iterator[Script]:
    script = Script(calls)
    server = grpc.server(ThreadPoolExecutor(4))
    add_ExtractorServiceServicer_to_server(script, server)
    script.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield script
    finally:
        server.stop(None)


class Waits:
    """Nobody waits; how long they would have is in `seconds`."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def timing(self, random: float = 0.0) -> Timing:
        return Timing(random=lambda: random, wait=self._wait, sleep=self._sleep)

    def _wait(self, _: threading.Event, seconds: float) -> None:
        self.seconds.append(seconds)

    async def _sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


_TYPES = {
    9: service.COLUMN_TYPE_STRING,
    3: service.COLUMN_TYPE_INT64,
    1: service.COLUMN_TYPE_DOUBLE,
    8: service.COLUMN_TYPE_BOOL,
}


def descriptions() -> list[service.TableDescription]:
    """What the annotations say, as a real server does."""
    tables = []
    for row in tables_pb2.DESCRIPTOR.message_types_by_name.values():
        table = service.TableDescription(row_message=row.full_name)
        table.table.CopyFrom(row.GetOptions().Extensions[EXTENSIONS.table])
        for column in row.fields:
            described = table.columns.add(name=column.name, number=column.number)
            described.type = _TYPES[column.type]
            described.documented = column.number < 101
            described.column.CopyFrom(column.GetOptions().Extensions[EXTENSIONS.column])
        tables.append(table)
    return tables


def rows(table: str, *ids: str, generation: int = 1) -> service.ExtractResponse:
    event = service.ExtractResponse()
    event.row_batch.table = table
    event.row_batch.generation = generation
    for row_id in ids:
        getattr(event.row_batch, table).add(id=row_id)
    return event


def checkpoint(number: int, generation: int = 1, **counts: int) -> service.ExtractResponse:
    event = service.ExtractResponse()
    event.checkpoint.number = number
    event.checkpoint.resume_token = f"token {number}".encode()
    for table, count in counts.items():
        event.checkpoint.rows.add(table=table, rows=count, generation=generation)
    return event


def restarted(table: str, generation: int) -> service.ExtractResponse:
    event = service.ExtractResponse()
    event.table_restarted.table = table
    event.table_restarted.generation = generation
    event.table_restarted.reason = "scripted"
    return event


def progress() -> service.ExtractResponse:
    return service.ExtractResponse(progress=service.Progress())


def summary(*failed: str) -> service.ExtractResponse:
    event = service.ExtractResponse(summary=service.Summary())
    for table in ("tags", "companies"):
        status = service.TABLE_STATUS_FAILED if table in failed else service.TABLE_STATUS_COMPLETE
        event.summary.tables.add(table=table, status=status)
    return event
