"""The client of an extractor server."""

from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any

import grpc

from intercom_extractor.backoff import Timing
from intercom_extractor.channel import TLS, metadata_for, open_channel
from intercom_extractor.errors import ExtractorError, from_rpc_error
from intercom_extractor.extraction import Extraction
from intercom_extractor.request import (
    TEMPLATES,
    BodyFormatName,
    TemplateName,
    extract_request,
    plan_request,
)
from intercom_extractor.run import Listeners, Run
from intercom_extractor.v1 import extractor_service_pb2 as service
from intercom_extractor.v1.extractor_service_pb2_grpc import ExtractorServiceStub


class Client:
    """Calls a server at `target`, "HOST:PORT" or "unix:PATH", for one of its connections.

    tls: None for TLS except on this machine, a `TLS` for files of one's own. token: what the
    server asks its callers for, if anything. Connects when first used. Thread-safe.
    """

    def __init__(
        self,
        target: str,
        *,
        connection: str = "default",
        tls: TLS | bool | None = None,
        token: str | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._connection = connection
        self._metadata = metadata_for(token)
        self._timing = timing or Timing()
        self._channel = open_channel(target, tls)
        self._stub = ExtractorServiceStub(self._channel)

    def close(self) -> None:
        """Ends what is still being read, too."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def tables(
        self, template: TemplateName | None = None, *, timeout: float | None = None
    ) -> list[service.TableDescription]:
        """The tables of a template, or all, with their columns."""
        wanted = None if template is None else TEMPLATES[template]
        response: service.ListTablesResponse = self._unary(
            self._stub.ListTables, service.ListTablesRequest(template=wanted), timeout
        )
        return list(response.tables)

    def check(self, *, timeout: float | None = None) -> service.CheckConnectionResponse:
        """Whether the connection's access token works, and which tables it may read."""
        request = service.CheckConnectionRequest(connection=self._connection)
        response: service.CheckConnectionResponse = self._unary(
            self._stub.CheckConnection, request, timeout
        )
        return response

    def plan(
        self,
        tables: Iterable[str] = (),
        *,
        template: TemplateName | None = None,
        updated_since: datetime | int | None = None,
        find_deleted: bool = False,
        body_format: BodyFormatName = "plaintext",
        timeout: float | None = None,
    ) -> service.PlanExtractionResponse:
        """With how many requests `extract` would read these tables, and how long it takes."""
        request = extract_request(
            self._connection,
            tables=tables,
            template=template,
            updated_since=updated_since,
            find_deleted=find_deleted,
            body_format=body_format,
        )
        response: service.PlanExtractionResponse = self._unary(
            self._stub.PlanExtraction, plan_request(request), timeout
        )
        return response

    def extract(
        self,
        tables: Iterable[str] = (),
        *,
        template: TemplateName | None = None,
        updated_since: datetime | int | None = None,
        find_deleted: bool = False,
        body_format: BodyFormatName = "plaintext",
        with_parents: bool = False,
        resume_token: bytes = b"",
        at_least_once: bool = False,
        timeout: float | None = None,
        on_progress: Callable[[service.Progress], None] | None = None,
        on_notice: Callable[[service.Notice], None] | None = None,
        on_checkpoint: Callable[[service.Checkpoint], None] | None = None,
        on_table_restarted: Callable[[service.TableRestarted], None] | None = None,
        on_reconnect: Callable[[ExtractorError, float], None] | None = None,
    ) -> Extraction:
        """Reads tables, all unless told which; begins when first read from.

        updated_since: only what changed since (an aware datetime or Unix seconds).
        resume_token: goes on where an earlier extraction of the same request had its
        `last_checkpoint`. timeout: seconds for all of it, lost connections included.

        on_checkpoint is called when all rows before a checkpoint have been handed out and
        the next one is asked for; on_table_restarted when the rows of a table so far are
        void and it begins anew, without it that is a TableRestartedError; on_reconnect with the
        error and the seconds until the next try. All are called while the extraction is read.
        """
        request = extract_request(
            self._connection,
            tables=tables,
            template=template,
            updated_since=updated_since,
            find_deleted=find_deleted,
            body_format=body_format,
            with_parents=with_parents,
            resume_token=resume_token,
        )
        run = Run(
            request,
            at_least_once=at_least_once,
            timeout=timeout,
            listeners=Listeners(
                on_progress=on_progress,
                on_notice=on_notice,
                on_checkpoint=on_checkpoint,
                on_table_restarted=on_table_restarted,
                on_reconnect=on_reconnect,
            ),
            timing=self._timing,
        )
        return Extraction(
            run,
            self._start_extract,
            lambda: requested(self.tables(), request),
            self._timing.wait,
        )

    def _start_extract(self, request: service.ExtractRequest, timeout: float | None) -> Any:
        return self._stub.Extract(request, timeout=timeout, metadata=self._metadata)

    def _unary(self, method: Any, request: Any, timeout: float | None) -> Any:
        try:
            return method(request, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None


def requested(
    tables: list[service.TableDescription], request: service.ExtractRequest
) -> list[service.TableDescription]:
    """Those of all tables that a request asks for."""
    named = set(request.tables)
    return [
        table
        for table in tables
        if table.table.name in named
        or request.template == TEMPLATES["all"]
        or (request.template and table.table.template == request.template)
    ]
