"""What an extraction keeps besides its calls; the same for both kinds of client."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc

from intercom_extractor.backoff import Backoff, Timing
from intercom_extractor.delivery import Delivery, Event
from intercom_extractor.errors import (
    DeadlineExceededError,
    ExtractorError,
    TableRestartedError,
    is_lost_connection,
)
from intercom_extractor.rows import Batch
from intercom_extractor.v1.extractor_service_pb2 import (
    Checkpoint,
    ExtractRequest,
    ExtractResponse,
    Notice,
    Progress,
    RowBatch,
    Summary,
    TableRestarted,
)


@dataclass(frozen=True)
class Listeners:
    """Who is told of what; called where the extraction is read."""

    on_progress: Callable[[Progress], None] | None = None
    on_notice: Callable[[Notice], None] | None = None
    on_checkpoint: Callable[[Checkpoint], None] | None = None
    on_table_restarted: Callable[[TableRestarted], None] | None = None
    on_reconnect: Callable[[ExtractorError, float], None] | None = None


@dataclass
class Progressed:
    """What has been handed out so far."""

    last_checkpoint: bytes | None = None
    summary: Summary | None = None
    reconnects: int = 0


class Run:
    """The decisions of one extraction: when a lost connection is made again, what is
    handed out, who is told. Not thread-safe, but for `closed`."""

    def __init__(
        self,
        request: ExtractRequest,
        *,
        at_least_once: bool,
        timeout: float | None,
        listeners: Listeners,
        timing: Timing,
    ) -> None:
        self.state = Progressed(last_checkpoint=request.resume_token or None)
        self.closed = False
        self.listeners = listeners
        self._request = request
        self._delivery = Delivery(at_least_once=at_least_once, resume_token=request.resume_token)
        self._backoff = Backoff(timing.random)
        self._now = timing.now
        self._deadline = None if timeout is None else timing.now() + timeout
        # An address that was never right is said at once.
        self._has_begun = False
        # Handed out, of the present generation of each table.
        self._rows: Counter[str] = Counter()
        # Who continues an earlier extraction may have rows of any table.
        self._resumed = bool(request.resume_token)

    def begin(self) -> tuple[ExtractRequest, float | None]:
        """The request of the next call, and how long it may take."""
        request = ExtractRequest()
        request.CopyFrom(self._request)
        request.resume_token = self._delivery.begin()
        return request, self._remaining()

    def _remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - self._now())

    def on_response(self, response: ExtractResponse) -> Sequence[Event]:
        self._has_begun = True
        return self._delivery.on_event(response)

    def on_end(self) -> None:
        self._delivery.on_end()

    def on_error(self, error: ExtractorError) -> float:
        """Seconds to wait before the next call; raises the error where there is none."""
        if self._delivery.complete or not self._has_begun or not is_lost_connection(error):
            raise error
        seconds = self._backoff.next()
        if seconds is None:
            raise error
        remaining = self._remaining()
        if remaining is not None and remaining <= seconds:
            raise DeadlineExceededError(
                f"no time left to make the lost connection again ({error})",
                grpc.StatusCode.DEADLINE_EXCEEDED,
            ) from error
        self.state.reconnects += 1
        if self.listeners.on_reconnect is not None:
            self.listeners.on_reconnect(error, seconds)
        return seconds

    def note(self, event: Event) -> None:
        """Call with each event right before it is handed out."""
        if isinstance(event, RowBatch):
            return
        if isinstance(event, Checkpoint):
            self._backoff.on_progress()
            self.state.last_checkpoint = event.resume_token
            if self.listeners.on_checkpoint is not None:
                self.listeners.on_checkpoint(event)
        elif isinstance(event, Progress):
            if self.listeners.on_progress is not None:
                self.listeners.on_progress(event)
        elif isinstance(event, Notice):
            if self.listeners.on_notice is not None:
                self.listeners.on_notice(event)
        elif isinstance(event, Summary):
            self.state.summary = event

    def batch_of(self, event: Event) -> Batch | None:
        """The rows of an event, for those who see nothing else; tells them of restarts."""
        if isinstance(event, RowBatch):
            return self._count(event)
        if isinstance(event, TableRestarted):
            if not self._tell(event) and (self._resumed or self._rows[event.table]):
                raise TableRestartedError(event.table, event.generation, event.reason)
            self._rows[event.table] = 0
        return None

    def part_of(self, event: Event) -> Batch | TableRestarted | None:
        """The same for those who can drop rows of a table that begins anew."""
        if isinstance(event, RowBatch):
            return self._count(event)
        if isinstance(event, TableRestarted):
            self._tell(event)
            return event
        return None

    def _count(self, event: RowBatch) -> Batch:
        batch = Batch(event)
        self._rows[batch.table] += len(batch.rows)
        return batch

    def _tell(self, restarted: TableRestarted) -> bool:
        """Whether somebody listens."""
        if self.listeners.on_table_restarted is None:
            return False
        self.listeners.on_table_restarted(restarted)
        return True
