"""Reads the streams that the sink for Redis writes."""

from contextlib import AbstractContextManager
from pathlib import Path

from record_streams import Record, Streams, differences
from redis import Redis
from server_process import running

from tables import TABLES


class ReadRedis(Redis):
    """One that the campaign can judge."""

    def problems(self, place: str, expected: Path) -> list[str]:
        """What readers of the streams have twice, or otherwise than they should."""
        streams = read_streams(self, place)
        return streams.repeated() + differences(streams, expected)


def running_redis(*flags: str) -> AbstractContextManager[ReadRedis]:
    return running(ReadRedis, *flags)


def read_streams(redis: Redis, place: str) -> Streams:
    """Everything under a prefix."""
    return Streams(
        {
            table: [_record(entry) for entry in redis.entries(f"{place}:{table}")]
            for table in TABLES
        },
        [entry["value"] for entry in redis.entries(f"{place}:_events")],
    )


def _record(entry: dict[str, bytes]) -> Record:
    headers = {
        name: value.decode() for name, value in entry.items() if name not in ("key", "value")
    }
    return Record(entry["key"].decode(), entry.get("value"), headers)
