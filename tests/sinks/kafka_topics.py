"""Reads the topics that the sink for Kafka writes."""

import functools
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec
from kafka_broker import Kafka
from record_streams import Record, Streams, differences
from server_process import running

from tables import TABLES

READ_SECONDS = 60.0


@functools.cache
def admin_of(address: str) -> AdminClient:
    """One for all; says nothing on stderr of brokers that are killed."""
    return AdminClient({"bootstrap.servers": address, "log_level": 0})


def topic_ends(
    admin: AdminClient, prefix: str, isolation: IsolationLevel = IsolationLevel.READ_COMMITTED
) -> dict[TopicPartition, int]:
    """Of all partitions of topics with the prefix: where who reads them now comes to the end."""
    deadline = time.monotonic() + READ_SECONDS
    while True:
        partitions = {
            TopicPartition(topic, partition): OffsetSpec.latest()
            for topic, described in admin.list_topics(timeout=READ_SECONDS).topics.items()
            if topic.startswith(prefix)
            for partition in described.partitions
        }
        try:
            if not partitions:
                return {}
            found = admin.list_offsets(
                partitions, isolation_level=isolation, request_timeout=READ_SECONDS
            )
            return {at: future.result().offset for at, future in found.items()}
        except KafkaException:
            # Topics that are being made have no leaders for a moment.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def read_topic(address: str, topic: str, isolation: str = "read_committed") -> list[Record]:
    """What readers have until now, in the order of each partition."""
    committed = isolation == "read_committed"
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    ends = {
        at.partition: end
        for at, end in topic_ends(admin_of(address), topic, level).items()
        if at.topic == topic and end
    }
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "test",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        return list(_until(consumer, ends))
    finally:
        consumer.close()


def _until(consumer: Consumer, ends: dict[int, int]) -> Iterator[Record]:
    while ends:
        message: Message | None = consumer.poll(READ_SECONDS)
        assert message is not None, "the broker gives nothing"
        error = message.error()
        partition, offset = message.partition() or 0, message.offset() or 0
        if error is None:
            key, value = message.key(), message.value()
            assert isinstance(key, bytes), "a record has no key"
            assert value is None or isinstance(value, bytes)
            headers: Any = message.headers() or []
            yield Record(key.decode(), value, {name: text.decode() for name, text in headers})
        elif error.code() == KafkaError._PARTITION_EOF:
            # Comes once more when transactions end.
            if partition in ends and offset >= ends[partition]:
                del ends[partition]
        else:
            assert error.retriable() or not error.fatal(), error


def write(
    address: str, topic: str, key: str, value: bytes | None, headers: Mapping[str, str]
) -> None:
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random"})
    producer.produce(topic, value, key, headers=dict(headers))
    assert producer.flush(READ_SECONDS) == 0


def _held_back(admin: AdminClient, prefix: str) -> dict[str, tuple[int, int]]:
    """Partitions with an open transaction: where it begins, and their end."""
    committed = topic_ends(admin, prefix)
    return {
        f"{at.topic}/{at.partition}": (committed[at], end)
        for at, end in topic_ends(admin, prefix, IsolationLevel.READ_UNCOMMITTED).items()
        if committed.get(at, end) < end
    }


class Topics(Streams):
    """Everything under a prefix, once no transaction is open there."""

    def __init__(self, address: str, prefix: str) -> None:
        admin = admin_of(address)
        deadline = time.monotonic() + READ_SECONDS
        # Brokers end a transaction after they have promised its commit.
        while held := _held_back(admin, prefix):
            assert time.monotonic() < deadline, f"a transaction stays open: {held}"
            time.sleep(0.02)
        super().__init__(
            {table: read_topic(address, f"{prefix}{table}") for table in TABLES},
            [record.value or b"" for record in read_topic(address, f"{prefix}_events")],
        )


class TopicsKafka(Kafka):
    """One that the campaign can ask and judge; a place is a prefix of topics."""

    def position(self, prefix: str) -> str:
        """What tells a commit from the one before."""
        records = read_topic(self.address, f"{prefix}_positions")
        return str(records[-1:])

    def open_transaction(self, prefix: str) -> dict[str, str | None] | None:
        """The writer's transaction that has rows and waits for more; none: nothing."""
        admin = admin_of(self.address)
        held = _held_back(admin, prefix)
        written = {partition.split("/")[0] for partition in held}
        # The position is sent last: with it there, the commit may be on its way.
        if not written or f"{prefix}_positions" in written:
            return None
        # So that what was promised is done. A broker that dies before, and is the only one, forgets
        # to end such a transaction (Kafka 4.4: "likely deleted already").
        time.sleep(0.3)
        if held != _held_back(admin, prefix):
            return None
        names = " ".join(sorted(topic.removeprefix(prefix) for topic in written))
        return {"written": names, "held back": str(held)}

    def end_sessions(self) -> None:
        """Brokers keep none: the next writer ends the transaction of the one before."""

    def problems(self, prefix: str, expected: Path) -> list[str]:
        """What readers have twice, or otherwise than they should."""
        topics = Topics(self.address, prefix)
        return topics.repeated() + differences(topics, expected)

    def drop(self, prefix: str) -> None:
        admin = admin_of(self.address)
        topics = [topic for topic in admin.list_topics(timeout=30).topics if topic[0] != "_"]
        for deleted in admin.delete_topics([t for t in topics if t.startswith(prefix)]).values():
            deleted.result(READ_SECONDS)


def running_topics() -> AbstractContextManager[TopicsKafka]:
    return running(TopicsKafka)
