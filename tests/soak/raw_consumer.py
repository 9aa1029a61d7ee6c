"""Reads the service's stream as a careful consumer of any language would.

Rows and the token of the checkpoint after them are kept together; what came since is
dropped when the stream breaks. Every promise that the contract makes of the stream is
checked, and every row that comes more than once is counted.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc
from intercom.extractor.v1 import annotations_pb2 as annotations
from intercom.extractor.v1 import extractor_service_pb2 as service

EXTRACT = "/intercom.extractor.v1.ExtractorService/Extract"
# One row may be so large, as the contract says.
LARGEST_MESSAGE = 65 << 20
LARGEST_TOKEN = 64 << 10
# A checkpoint comes after 5,000 rows and at most one answer more. The largest answer is a
# page of 150 contacts, each with up to 10 tags, 10 companies and a few profiles.
INTERVAL_ROWS = 5_000
ANSWER_ROWS = 150 * (1 + 10 + 10 + 5)


@dataclass
class Table:
    """The rows of a table's present generation, each as bytes."""

    generation: int = 1
    rows: Counter[bytes] = field(default_factory=Counter)

    def copy(self) -> "Table":
        return Table(self.generation, self.rows.copy())


@dataclass
class Kept:
    """What would be in a consumer's database: one transaction wrote all of it."""

    tables: dict[str, Table] = field(default_factory=dict)
    token: bytes = b""
    number: int = 0

    def copy(self) -> "Kept":
        tables = {name: table.copy() for name, table in self.tables.items()}
        return Kept(tables, self.token, self.number)


class RawConsumer:
    """For one event loop.

    `updated_since`: Unix seconds, for an incremental run. `connection`: the server's name of
    it, empty for the default one. `pause_seconds`: what a slow reader does with each event.
    """

    def __init__(
        self,
        updated_since: int | None = None,
        connection: str = "",
        pause_seconds: float = 0,
    ) -> None:
        self._updated_since = updated_since
        self._connection = connection
        self._pause_seconds = pause_seconds
        self.kept = Kept()
        self.broken_promises: list[str] = []
        self.complete = False
        self.restarts: list[str] = []
        # Rows that came and were dropped as the stream broke before their checkpoint.
        self.rows_dropped = 0
        self.largest_interval = 0
        self._working = Kept()
        self._since: Counter[str] = Counter()
        # All that ever came, by table and generation.
        self._received: dict[tuple[str, int], Counter[bytes]] = {}
        # How often a stream broke while a table was in a generation.
        self._breaks: Counter[tuple[str, int]] = Counter()

    def rows(self) -> Mapping[str, Counter[bytes]]:
        return {name: table.rows for name, table in self.kept.tables.items()}

    async def read(self, channel: grpc.aio.Channel) -> None:
        """Reads on from the last checkpoint, to the end or until the stream breaks."""
        self.begin()
        extract = channel.unary_stream(
            EXTRACT,
            request_serializer=service.ExtractRequest.SerializeToString,
            response_deserializer=service.ExtractResponse.FromString,
        )
        request = service.ExtractRequest(
            connection=self._connection,
            template=annotations.TEMPLATE_ALL,
            resume_token=self.kept.token,
        )
        if self._updated_since is not None:
            request.updated_since.FromSeconds(self._updated_since)
        try:
            # The server may be down just now.
            async for event in extract(request, wait_for_ready=True):
                self.on_event(event)
                if self._pause_seconds:
                    await asyncio.sleep(self._pause_seconds)
        finally:
            self.end()

    def begin(self) -> None:
        """A stream begins that goes on from the last checkpoint."""
        self._working = self.kept.copy()
        self._since.clear()

    def on_event(self, event: service.ExtractResponse) -> None:
        if self.complete:
            self.broken_promises.append("something follows the summary")
        kind = event.WhichOneof("event")
        if kind == "row_batch":
            self._on_batch(event.row_batch)
        elif kind == "table_restarted":
            self._on_restart(event.table_restarted)
        elif kind == "checkpoint":
            self._on_checkpoint(event.checkpoint)
        elif kind == "summary":
            self._on_summary(event.summary)

    def _table(self, name: str) -> Table:
        return self._working.tables.setdefault(name, Table())

    def _on_batch(self, batch: service.RowBatch) -> None:
        table = self._table(batch.table)
        if batch.generation != table.generation:
            self.broken_promises.append(
                f"{batch.table}: rows of generation {batch.generation} in {table.generation}"
            )
        rows = [row.SerializeToString() for row in getattr(batch, batch.table)]
        table.rows.update(rows)
        received = self._received.setdefault((batch.table, batch.generation), Counter())
        received.update(rows)
        self._since[batch.table] += len(rows)
        self.largest_interval = max(self.largest_interval, self._since.total())

    def _on_restart(self, restarted: service.TableRestarted) -> None:
        table = self._table(restarted.table)
        if restarted.generation <= table.generation:
            self.broken_promises.append(f"{restarted.table}: generations do not count up")
        self._working.tables[restarted.table] = Table(restarted.generation)
        del self._since[restarted.table]
        self.restarts.append(f"{restarted.table}: {restarted.reason}")

    def _on_checkpoint(self, checkpoint: service.Checkpoint) -> None:
        for rows in checkpoint.rows:
            if rows.generation != self._table(rows.table).generation:
                self.broken_promises.append(f"{rows.table}: a checkpoint of another generation")
        counted = Counter({rows.table: rows.rows for rows in checkpoint.rows})
        if counted != self._since:
            self.broken_promises.append(f"a checkpoint counts {counted}, {self._since} came")
        if checkpoint.number != self._working.number + 1:
            self.broken_promises.append(
                f"checkpoint {checkpoint.number} follows {self._working.number}"
            )
        if not 0 < len(checkpoint.resume_token) <= LARGEST_TOKEN:
            self.broken_promises.append(f"a token of {len(checkpoint.resume_token)} bytes")
        self._working.number = checkpoint.number
        self._working.token = checkpoint.resume_token
        self._since.clear()
        self.kept = self._working.copy()

    def _on_summary(self, summary: service.Summary) -> None:
        if self._since.total():
            self.broken_promises.append(f"rows after the last checkpoint: {self._since}")
        for said in summary.tables:
            table = self._table(said.table)
            came = (table.rows.total(), table.generation)
            if (said.rows, said.generation) != came:
                self.broken_promises.append(
                    f"{said.table}: the summary says {said.rows} rows of generation "
                    f"{said.generation}; there are {came[0]} of {came[1]}"
                )
            if said.status != service.TABLE_STATUS_COMPLETE:
                self.broken_promises.append(f"{said.table} is not complete: {said.error.message}")
        self.complete = True

    def end(self) -> None:
        """The stream has ended, or broke."""
        if self.complete:
            return
        self.rows_dropped += self._since.total()
        for name, table in self._working.tables.items():
            self._breaks[name, table.generation] += 1

    def too_many(self, truth: Mapping[str, Counter[bytes]]) -> list[str]:
        """The tables of which more came again than the contract allows."""
        found = []
        for (name, generation), received in self._received.items():
            again = (received - truth.get(name, Counter())).total()
            allowed = (INTERVAL_ROWS + ANSWER_ROWS) * self._breaks[name, generation]
            if again > allowed:
                found.append(
                    f"{name}: {again} rows of generation {generation} came again, at most "
                    f"{allowed} may"
                )
        if self.largest_interval > INTERVAL_ROWS + ANSWER_ROWS:
            found.append(f"{self.largest_interval} rows without a checkpoint")
        return found
