"""Reads the topics of the sink for Kafka, from where a state is to where they end now."""

import json
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from intercom_extractor.v1 import tables_pb2
from intercom_extractor.v1.extractor_service_pb2 import TableDescription
from present_tables import Owners, Partition, Read

# What one call to brokers, and the wait for one record, may take.
CALL_SECONDS = 10.0
SILENT_SECONDS = 60.0
# Records, and bytes of them, that are kept together: what is in memory at a time, beside a record
# that is larger.
READ_RECORDS = 10_000
READ_BYTES = 16 << 20
# Of the URL, what is about connections; only the writer takes notice of the rest.
_CONNECTION = ("security.", "sasl.", "ssl.", "socket.", "client.", "broker.")
_EVENTS = "_events"
_JOBS = "_jobs"  # Only a fleet has it.
_LOST = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_REFUSED = (
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


class UsageError(Exception):
    """A person has to change something."""


class UnreachableError(Exception):
    """It may work later."""


@dataclass(frozen=True)
class Source:
    brokers: str
    prefix: str
    properties: Mapping[str, str]

    def __str__(self) -> str:
        return f"kafka://{self.brokers}, topics {self.prefix}*"


def parse_url(url: str, password: str) -> Source:
    """Of a URL as `intercom-extract --sink` takes it."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "kafka" or not parts.netloc:
        raise UsageError("--source is kafka://HOST:PORT,HOST:PORT/?prefix=NAME, as of --sink")
    if "@" in parts.netloc or "sasl.password" in parts.query:
        raise UsageError("no password in --source: it comes from INTERCOM_SINK_PASSWORD")
    query = dict(urllib.parse.parse_qsl(parts.query))
    properties = {name: text for name, text in query.items() if name.startswith(_CONNECTION)}
    if password:
        properties["sasl.password"] = password
    return Source(parts.netloc, query.get("prefix", "intercom."), properties)


@dataclass(frozen=True)
class Found:
    """The topics that are there."""

    tables: list[str]
    ids: Mapping[str, str]  # By topic: another one where it was deleted and made anew.
    ends: Mapping[Partition, int]
    of_fleet: bool


class Topics:
    """Both clients of librdkafka's; say nothing on stderr by themselves. Close it."""

    def __init__(self, source: Source, tables: Iterable[TableDescription]) -> None:
        self._source = source
        self._tables = {table.table.name for table in tables}
        self._said = ""
        properties = {
            **source.properties,
            "bootstrap.servers": source.brokers,
            "log_level": 0,
            "error_cb": self._on_error,
        }
        try:
            self._admin = AdminClient(properties)
            self._consumer = Consumer(
                {
                    **properties,
                    # It must have one, but neither joins it nor keeps offsets there.
                    "group.id": "kafka-to-parquet",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "enable.partition.eof": True,
                    "isolation.level": "read_committed",
                    "auto.offset.reset": "error",
                    "queued.max.messages.kbytes": READ_BYTES >> 10,
                }
            )
        except KafkaException as error:
            raise UsageError(f"--source: {error.args[0].str()}") from None

    def close(self) -> None:
        self._consumer.close()

    def find(self) -> Found:
        """What is there now. Of open transactions nothing is."""
        prefix = self._source.prefix
        try:
            # Serves the callback that tells why there is no connection.
            self._admin.poll(0)
            listed = self._admin.list_topics(timeout=CALL_SECONDS).topics
            tables = sorted(name for name in self._tables if prefix + name in listed)
            if not tables or prefix + _EVENTS not in listed:
                raise UsageError(
                    f"there are no topics {prefix}* of a sink at {self._source.brokers}; has "
                    "`intercom-extract extract --sink` run, and is prefix= the same?"
                )
            topics = [prefix + name for name in (*tables, _EVENTS)]
            described = self._admin.describe_topics(
                TopicCollection(topics), request_timeout=CALL_SECONDS
            )
            ids = {topic: str(future.result().topic_id) for topic, future in described.items()}
            asked = {
                TopicPartition(topic, partition): OffsetSpec.latest()
                for topic in topics
                for partition in listed[topic].partitions
            }
            offsets = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=CALL_SECONDS
            )
            ends = {
                (at.topic, at.partition): int(future.result().offset)
                for at, future in offsets.items()
            }
        except KafkaException as error:
            raise self._explained(error.args[0]) from None
        return Found(tables, ids, ends, prefix + _JOBS in listed)

    def read(
        self, offsets: Mapping[Partition, int], ends: Mapping[Partition, int], record: "Records"
    ) -> Iterator[Read]:
        """From the offsets to the ends, and maybe further, in pieces to be kept one by one."""
        behind = {at: end for at, end in ends.items() if offsets.get(at, 0) < end}
        for at, end in ends.items():
            if offsets.get(at, 0) > end:
                raise UsageError(
                    f"topic {at[0]} ends before what was already read of it: it has lost "
                    "records. Read into a new --output; the topics have all that is"
                )
        self._consumer.assign(
            [TopicPartition(*at, offsets.get(at, 0)) for at in behind]  # 0: all that is left.
        )
        heard = time.monotonic()
        piece, records, size = Read(), 0, 0
        while behind:
            messages = self._consumer.consume(1000, 1.0)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENT_SECONDS:
                raise UnreachableError(
                    f"{self._source} says nothing for {SILENT_SECONDS:.0f} s{self._reason()}; "
                    "what was read is kept, run it again"
                )
            for message in messages:
                after = self._after(message)
                if after is None:
                    continue
                at = (str(message.topic()), int(message.partition() or 0))
                if message.error() is None:
                    record.add(message, self._source.prefix, piece)
                    records += 1
                    size += len(message)
                piece.offsets[at] = after
                if after >= behind.get(at, after + 1):
                    del behind[at]
            if records >= READ_RECORDS or size >= READ_BYTES:
                yield piece
                piece, records, size = Read(), 0, 0
        self._consumer.unassign()
        yield piece

    def _after(self, message: Message) -> int | None:
        """Where its partition is read to; none: nothing new is known of it."""
        error, offset = message.error(), message.offset()
        if error is None:
            return int(offset or 0) + 1
        # Of the end itself: what comes before it may be marks of transactions, not records.
        if error.code() == KafkaError._PARTITION_EOF:
            return int(offset or 0)
        if error.code() in _LOST:
            raise UsageError(
                f"topic {message.topic()} no longer has the records that come next: it was made "
                "anew, or retention has deleted them. Read into a new --output"
            )
        if error.code() in _REFUSED or error.fatal():
            raise self._explained(error)
        return None  # librdkafka tries again.

    def _on_error(self, error: KafkaError) -> None:
        # That all brokers are down says less than why one is.
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._said:
            self._said = error.str()

    def _reason(self) -> str:
        return f" ({self._said})" if self._said else ""

    def _explained(self, error: KafkaError) -> Exception:
        # Callbacks come late.
        self._admin.poll(0.1)
        if error.code() in _REFUSED or "uthentication" in self._said:
            return UsageError(
                f"{self._source} refuses this reader: {error.str()}{self._reason()}; check "
                "sasl.username, INTERCOM_SINK_PASSWORD and that it may read and describe the topics"
            )
        return UnreachableError(
            f"cannot read {self._source}: {error.str()}{self._reason()}; check that Kafka runs "
            "there"
        )


class Records:
    """How records become what is kept."""

    def __init__(
        self, tables: Iterable[TableDescription], owners: Mapping[str, Owners], *, of_fleet: bool
    ) -> None:
        self._owners = owners
        self._of_fleet = of_fleet
        self.rows = {table.table.name: RowReader(table) for table in tables}

    def add(self, message: Message, prefix: str, piece: Read) -> None:
        table = str(message.topic()).removeprefix(prefix)
        key, value = message.key(), message.value()
        where = f"topic {message.topic()}, partition {message.partition()}, {message.offset()}"
        headers: Any = message.headers() or []
        told = {name: text.decode() for name, text in headers}
        try:
            if not isinstance(key, bytes):
                raise ValueError("it has no key")
            workspace = told["workspace"] if self._of_fleet else ""
            if table == _EVENTS:
                if value is not None:
                    piece.events.append(_event(workspace, json.loads(value)))
                return
            name = key.decode()
            if self._of_fleet:
                name = name.removeprefix(f"{workspace}/")
            above = None
            owner = self._owners[table]
            if value is not None and owner.column:
                above = getattr(self.rows[table].message(value), owner.column)
            version = int(told["run"]), int(told["generation"])
            piece.rows.setdefault(table, []).append((workspace, name, *version, above, value))
        except (ValueError, KeyError) as error:
            raise UsageError(
                f"{where}: not a record of the sink for Kafka: {error!r}. Do other programs write "
                "to this topic?"
            ) from None


def _event(workspace: str, event: Mapping[str, Any]) -> tuple[str, str, str, str, int, int, bool]:
    kind, run = event["event"], int(event["run"])
    # A later restart says nothing of the rows of an earlier run.
    id = str(run) if kind == "restarted" else event.get("id", "")
    generation = int(event.get("generation", 0))
    return workspace, kind, event["table"], id, run, generation, bool(event.get("whole", False))


class RowReader:
    """Values of one table's records as messages."""

    def __init__(self, table: TableDescription) -> None:
        self._type: Any = getattr(tables_pb2, table.row_message.rsplit(".")[-1])
        self._columns = set(self._type.DESCRIPTOR.fields_by_name)

    def message(self, value: bytes) -> Any:
        """Of protobuf or of JSON: no message of a row begins with what is a brace there."""
        if not value.startswith(b"{"):
            # Its error is not a ValueError.
            message = self._type()
            try:
                message.ParseFromString(value)
            except Exception as error:
                raise ValueError(str(error)) from None
            return message
        columns = json.loads(value)
        # Newer releases may have more columns.
        try:
            return self._type(**{n: v for n, v in columns.items() if n in self._columns})
        except TypeError as error:
            raise ValueError(str(error)) from None
