"""What of a stream is handed out, and when: no network, no clock, no threads.

The rules are those of tests/clients/README.md, the same in every language.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from intercom_extractor.errors import BrokenStreamError
from intercom_extractor.rows import rows_of
from intercom_extractor.v1.extractor_service_pb2 import (
    Checkpoint,
    DeletedRecords,
    ExtractResponse,
    LivingRecords,
    Notice,
    Progress,
    RowBatch,
    Summary,
    TableRestarted,
)

Event = (
    RowBatch
    | Checkpoint
    | TableRestarted
    | DeletedRecords
    | LivingRecords
    | Progress
    | Notice
    | Summary
)

LARGEST_TOKEN = 64 << 10


@dataclass
class _Position:
    """What a stream has told up to some point."""

    token: bytes
    checkpoint: int = 0
    generations: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "_Position":
        return _Position(self.token, self.checkpoint, dict(self.generations))


class Delivery:
    """Turns the events of one extraction, over all of its streams, into those handed out."""

    def __init__(self, *, at_least_once: bool, resume_token: bytes = b"") -> None:
        self._at_least_once = at_least_once
        # As of the last checkpoint, and as of the last event.
        self._covered = _Position(resume_token)
        self._position = self._covered.copy()
        # None: events go out at once.
        self._held: list[Event] | None = None
        self._rows: Counter[str] = Counter()
        # Tells a caller that continues an earlier extraction of generations: unknown which
        # they were.
        self._generations_known = not resume_token
        self.complete = False
        self.begin()

    def begin(self) -> bytes:
        """A stream begins where the last checkpoint was; returns its token."""
        self._position = self._covered.copy()
        self._held = None if self._at_least_once else []
        self._rows.clear()
        return self._covered.token

    def on_event(self, response: ExtractResponse) -> Sequence[Event]:
        """What is to be handed out now. Raises BrokenStreamError."""
        if self.complete:
            raise BrokenStreamError("an event came after the summary")
        kind = response.WhichOneof("event")
        if kind == "row_batch":
            return self._on_rows(response.row_batch)
        if kind == "checkpoint":
            return self._on_checkpoint(response.checkpoint)
        if kind == "progress":
            return (response.progress,)
        if kind == "notice":
            return (response.notice,)
        if kind == "table_restarted":
            return self._on_restart(response.table_restarted)
        if kind == "living_records":
            living = response.living_records
            return self._hold(living) if self._accept(living.table, living.generation) else ()
        if kind == "deleted_records":
            return self._hold(response.deleted_records)
        if kind == "summary":
            return self._on_summary(response.summary)
        return ()  # Something that a newer server says.

    def on_end(self) -> None:
        """The call has ended well."""
        if not self.complete:
            raise BrokenStreamError("it ended without a summary")

    def _hold(self, event: Event) -> Sequence[Event]:
        if self._held is None:
            return (event,)
        self._held.append(event)
        return ()

    def _accept(self, table: str, sent: int) -> bool:
        """Whether what is of generation `sent` is of the table's present one."""
        # A server that does not count sends 0: its tables never begin anew.
        sent = max(sent, 1)
        generation = self._position.generations.get(table)
        if generation is None:
            # The first rows of an extraction that continues another say which it is.
            generation = 1 if self._generations_known else sent
            self._position.generations[table] = generation
        if sent > generation:
            raise BrokenStreamError(
                f"rows of {table} are of generation {sent}, which was not announced"
            )
        return sent == generation

    def _on_rows(self, batch: RowBatch) -> Sequence[Event]:
        if not self._accept(batch.table, batch.generation):
            return ()
        self._rows[batch.table] += len(rows_of(batch))
        return self._hold(batch)

    def _on_restart(self, restarted: TableRestarted) -> Sequence[Event]:
        table, generation = restarted.table, restarted.generation
        # Told twice, it must not void the rows that came in between.
        if generation <= self._position.generations.get(table, 1 if self._generations_known else 0):
            return ()
        self._position.generations[table] = generation
        del self._rows[table]
        # Held back at any rate: until a checkpoint covers it, a lost connection may lead back
        # to the generation before.
        held = self._held or []
        self._held = [event for event in held if not _is_void(event, table)]
        self._held.append(restarted)
        return ()

    def _on_checkpoint(self, checkpoint: Checkpoint) -> Sequence[Event]:
        name = f"checkpoint {checkpoint.number}"
        if checkpoint.number <= self._position.checkpoint:
            raise BrokenStreamError(f"{name} came after checkpoint {self._position.checkpoint}")
        if not 0 < len(checkpoint.resume_token) <= LARGEST_TOKEN:
            raise BrokenStreamError(f"{name} has a token of {len(checkpoint.resume_token)} bytes")
        counted: Counter[str] = Counter()
        for table in checkpoint.rows:
            if not self._accept(table.table, table.generation):
                raise BrokenStreamError(
                    f"{name} covers generation {table.generation} of {table.table}, which has "
                    f"come to {self._position.generations[table.table]}"
                )
            counted[table.table] += table.rows
        if counted != self._rows:
            raise BrokenStreamError(
                f"{name} covers {_text(counted)} rows, but {_text(self._rows)} came"
            )
        self._rows.clear()
        self._position.checkpoint = checkpoint.number
        self._position.token = checkpoint.resume_token
        self._covered = self._position.copy()
        held = self._held or []
        self._held = None if self._at_least_once else []
        return (*held, checkpoint)

    def _on_summary(self, summary: Summary) -> Sequence[Event]:
        if self._rows.total():
            raise BrokenStreamError(f"no checkpoint covers the last {_text(self._rows)} rows")
        self.complete = True
        return (*(self._held or ()), summary)


def _is_void(event: Event, table: str) -> bool:
    """Whether a restart of `table` makes it void."""
    return isinstance(event, RowBatch | LivingRecords | TableRestarted) and event.table == table


def _text(rows: Counter[str]) -> str:
    return ", ".join(f"{count} {table}" for table, count in sorted(rows.items())) or "no"
