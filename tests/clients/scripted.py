"""An extractor server that plays a script: one entry for each call of Extract."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import grpc
from google.protobuf import any_pb2, descriptor
from google.rpc import error_details_pb2, status_pb2
from intercom.extractor.v1 import extractor_service_pb2 as service

SERVICE = "intercom.extractor.v1.ExtractorService"
CALL_SECONDS = 60.0


@dataclass(frozen=True)
class Failure:
    """How a call ends when not well. Without a reason as gRPC itself says it."""

    code: grpc.StatusCode
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_seconds: float | None = None


LOST = Failure(grpc.StatusCode.UNAVAILABLE)


@dataclass(frozen=True)
class Call:
    """Sends the events, then waits for the client to cancel where it `holds`, then ends."""

    events: Sequence[service.ExtractResponse | bytes]
    failure: Failure | None = None
    holds: bool = False


class ScriptedServer:
    """Serves on a free port of the loopback. `requests`, `metadata` and `times` have one entry
    for each call of Extract, in seconds of the monotonic clock."""

    def __init__(self, *script: Call, caller_token: str | None = None) -> None:
        self.requests: list[service.ExtractRequest] = []
        self.metadata: list[dict[str, str]] = []
        self.times: list[float] = []
        # Set when a call that holds has been cancelled, or its deadline has passed.
        self.released = threading.Event()
        self._script = list(script)
        self._caller_token = caller_token
        self._server = grpc.server(
            ThreadPoolExecutor(4),
            options=(("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)),
        )
        handlers = {
            "ListTables": grpc.unary_unary_rpc_method_handler(
                lambda request, context: list_tables(),
                request_deserializer=service.ListTablesRequest.FromString,
                response_serializer=service.ListTablesResponse.SerializeToString,
            ),
            "Extract": grpc.unary_stream_rpc_method_handler(
                self._extract, request_deserializer=service.ExtractRequest.FromString
            ),
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),)
        )
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> "ScriptedServer":
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop(grace=0)

    def _extract(self, request: service.ExtractRequest, context: Any) -> Iterator[bytes]:
        number = len(self.requests)
        self.requests.append(request)
        self.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        self.times.append(time.monotonic())
        if self._caller_token is not None:
            expected = f"Bearer {self._caller_token}"
            if self.metadata[-1].get("authorization") != expected:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "this caller is not known")
        if number >= len(self._script):
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "the script has no further call")
        call = self._script[number]
        ended = threading.Event()
        if call.holds:
            # Before anything is sent: gRPC does not come back here once the call has ended.
            def on_end() -> None:
                self.released.set()
                ended.set()

            context.add_callback(on_end)
        for event in call.events:
            yield event if isinstance(event, bytes) else event.SerializeToString()
        if call.holds:
            ended.wait(CALL_SECONDS)
        if call.failure is not None:
            _fail(context, call.failure)


def _fail(context: Any, failure: Failure) -> None:
    message = f"scripted {failure.reason or failure.code.name}"
    if failure.reason:
        code = failure.code.value[0]
        details = status_pb2.Status(code=code, message=message)
        info = error_details_pb2.ErrorInfo(
            reason=failure.reason, domain="intercom-extractor", metadata=failure.metadata
        )
        details.details.append(_packed(info))
        if failure.retry_seconds is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromMilliseconds(round(failure.retry_seconds * 1000))
            details.details.append(_packed(retry))
        context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
    context.abort(failure.code, message)


def _packed(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


_TYPES = {
    descriptor.FieldDescriptor.CPPTYPE_STRING: service.COLUMN_TYPE_STRING,
    descriptor.FieldDescriptor.CPPTYPE_INT64: service.COLUMN_TYPE_INT64,
    descriptor.FieldDescriptor.CPPTYPE_DOUBLE: service.COLUMN_TYPE_DOUBLE,
    descriptor.FieldDescriptor.CPPTYPE_BOOL: service.COLUMN_TYPE_BOOL,
}


def list_tables() -> service.ListTablesResponse:
    """All tables with their columns, and no more of the annotations than names."""
    response = service.ListTablesResponse()
    for rows in service.RowBatch.DESCRIPTOR.fields:
        if rows.number < 11:
            continue
        table = response.tables.add(row_message=rows.message_type.full_name)
        table.table.name = rows.name
        for column in rows.message_type.fields:
            table.columns.add(name=column.name, number=column.number, type=_TYPES[column.cpp_type])
    return response


# The events of a script.


def rows(table: str, *ids: str, generation: int = 1) -> service.ExtractResponse:
    response = service.ExtractResponse()
    batch = response.row_batch
    batch.table, batch.generation = table, generation
    for row_id in ids:
        getattr(batch, table).add(id=row_id)
    return response


def checkpoint(
    number: int, generation: int = 1, token: bytes | None = None, **counts: int
) -> service.ExtractResponse:
    """`counts`: rows by table since the checkpoint before."""
    response = service.ExtractResponse()
    response.checkpoint.number = number
    response.checkpoint.resume_token = f"token {number}".encode() if token is None else token
    for table, count in counts.items():
        response.checkpoint.rows.add(table=table, rows=count, generation=generation)
    return response


def restarted(table: str, generation: int) -> service.ExtractResponse:
    response = service.ExtractResponse()
    response.table_restarted.table = table
    response.table_restarted.generation = generation
    response.table_restarted.reason = "scripted"
    return response


def progress() -> service.ExtractResponse:
    response = service.ExtractResponse()
    response.progress.elapsed.FromSeconds(1)
    return response


def summary(**counts: int) -> service.ExtractResponse:
    response = service.ExtractResponse()
    response.summary.elapsed.FromSeconds(2)
    for table, count in counts.items():
        response.summary.tables.add(
            table=table, rows=count, status=service.TABLE_STATUS_COMPLETE, generation=1
        )
    return response


# Field 99, which nobody knows, with a text.
UNKNOWN_EVENT = b"\x9a\x06\x05hello"
