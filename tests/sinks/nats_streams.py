"""Reads the stream that the sink for NATS writes."""

from contextlib import AbstractContextManager
from pathlib import Path

from nats import Message, Nats
from record_streams import Record, Streams, differences
from server_process import running

from tables import TABLES


class ReadNats(Nats):
    """One whose streams tests can judge."""

    def problems(self, stream: str, expected: Path) -> list[str]:
        """What readers of the stream have twice, or otherwise than they should."""
        streams = read_streams(self, stream)
        return streams.repeated() + differences(streams, expected)


def running_nats(*settings: str) -> AbstractContextManager[ReadNats]:
    return running(ReadNats, *settings)


def read_streams(nats: Nats, stream: str) -> Streams:
    """Everything in a stream whose subjects begin with its name."""
    records: dict[str, list[Record]] = {table: [] for table in TABLES}
    events: list[bytes] = []
    for message in nats.messages(stream):
        name = message.subject.removeprefix(f"{stream}.")
        if name == "_events":
            events.append(message.data)
        else:
            records[name].append(_record(message))
    return Streams(records, events)


def _record(message: Message) -> Record:
    value = None if "deleted" in message.headers else message.data
    return Record(message.headers["key"], value, message.headers)
