"""The client for asyncio: the same as `Client`, with `async` and `await`."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc

from intercom_extractor.backoff import Timing
from intercom_extractor.channel import TLS, metadata_for, open_aio_channel
from intercom_extractor.client import requested
from intercom_extractor.delivery import Event
from intercom_extractor.errors import ExtractorError, from_rpc_error
from intercom_extractor.request import (
    TEMPLATES,
    BodyFormatName,
    TemplateName,
    extract_request,
    plan_request,
)
from intercom_extractor.rows import Batch, Row
from intercom_extractor.run import Listeners, Run
from intercom_extractor.v1 import extractor_service_pb2 as service
from intercom_extractor.v1.extractor_service_pb2_grpc import ExtractorServiceStub

if TYPE_CHECKING:
    import pyarrow as pa

StartCall = Callable[[service.ExtractRequest, float | None], Any]


class AsyncExtraction:
    """As `Extraction`; `async for table, row in ...`. For one task."""

    def __init__(
        self,
        run: Run,
        start_call: StartCall,
        describe: Callable[[], Awaitable[list[service.TableDescription]]],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._run = run
        self._start_call = start_call
        self._describe = describe
        self._sleep = sleep
        self._call: Any = None
        self._events = self._read()

    @property
    def last_checkpoint(self) -> bytes | None:
        """As in `Extraction`."""
        return self._run.state.last_checkpoint

    @property
    def summary(self) -> service.Summary | None:
        """How it ended, table by table; None before the end."""
        return self._run.state.summary

    @property
    def reconnects(self) -> int:
        """How often the connection was lost and made again."""
        return self._run.state.reconnects

    async def tables(self) -> list[service.TableDescription]:
        """The tables that it reads, with their columns; asks the server."""
        return await self._describe()

    async def __aiter__(self) -> AsyncIterator[tuple[str, Row]]:
        async for batch in self.batches():
            table = batch.table
            for row in batch.rows:
                yield table, row

    async def batches(self) -> AsyncIterator[Batch]:
        """Rows as the server sent them: of one table, up to 1 MiB."""
        async for event in self._events:
            batch = self._run.batch_of(event)
            if batch is not None:
                yield batch

    def events(self) -> AsyncIterator[Event]:
        """Everything, as in `Extraction.events`."""
        return self._events

    async def to_arrow(
        self, *, timestamps: bool = False
    ) -> "AsyncIterator[tuple[str, pa.RecordBatch]]":
        """As `Extraction.to_arrow`."""
        from intercom_extractor.arrow import ArrowTables

        tables = ArrowTables(await self.tables(), timestamps=timestamps)
        async for batch in self.batches():
            yield batch.table, tables.record_batch(batch)

    async def close(self) -> None:
        """Cancels what has not ended: the server stops asking Intercom. Iteration ends."""
        self._run.closed = True
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> "AsyncExtraction":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _read(self) -> AsyncIterator[Event]:
        run = self._run
        while not run.closed:
            call = self._start_call(*run.begin())
            self._call = call
            try:
                async for response in call:
                    events = deque(run.on_response(response))
                    while events:
                        event = events.popleft()
                        run.note(event)
                        yield event
                        if run.closed:
                            return
                run.on_end()
                return
            except grpc.aio.AioRpcError as rpc_error:
                if run.closed:
                    return
                seconds = run.on_error(from_rpc_error(rpc_error))
            finally:
                call.cancel()
            await self._sleep(seconds)


class AsyncClient:
    """As `Client`, for one event loop."""

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
        self._metadata = tuple(metadata_for(token))
        self._timing = timing or Timing()
        self._channel = open_aio_channel(target, tls)
        self._stub = ExtractorServiceStub(self._channel)

    async def close(self) -> None:
        """Ends what is still being read, too."""
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def tables(
        self, template: TemplateName | None = None, *, timeout: float | None = None
    ) -> list[service.TableDescription]:
        """The tables of a template, or all, with their columns."""
        wanted = None if template is None else TEMPLATES[template]
        response: service.ListTablesResponse = await self._unary(
            self._stub.ListTables, service.ListTablesRequest(template=wanted), timeout
        )
        return list(response.tables)

    async def check(self, *, timeout: float | None = None) -> service.CheckConnectionResponse:
        """Whether the connection's access token works, and which tables it may read."""
        request = service.CheckConnectionRequest(connection=self._connection)
        response: service.CheckConnectionResponse = await self._unary(
            self._stub.CheckConnection, request, timeout
        )
        return response

    async def plan(
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
        response: service.PlanExtractionResponse = await self._unary(
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
    ) -> AsyncExtraction:
        """As `Client.extract`."""
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

        async def describe() -> list[service.TableDescription]:
            return requested(await self.tables(), request)

        return AsyncExtraction(run, self._start_extract, describe, self._timing.sleep)

    def _start_extract(self, request: service.ExtractRequest, timeout: float | None) -> Any:
        return self._stub.Extract(request, timeout=timeout, metadata=self._metadata)

    async def _unary(self, method: Any, request: Any, timeout: float | None) -> Any:
        try:
            return await method(request, timeout=timeout, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
