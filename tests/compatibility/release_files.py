"""The files that stand for a release: what it has sent, and the tokens that it has given.

releases/VERSION/contract.binpb     the .proto files of the service, as a FileDescriptorSet
releases/VERSION/tokens.binpb       the same of what resume tokens hold
releases/VERSION/NAME-N.binpb.gz    the events of an extraction's Nth stream, with lengths
releases/VERSION/tokens.json        tokens of other extractions, and what is left of these
"""

import gzip
import hashlib
import hmac
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intercom.extractor.v1 import annotations_pb2 as annotations
from intercom.extractor.v1 import extractor_service_pb2 as service
from intercom.extractor.v1 import tables_pb2

RELEASES = Path(__file__).parent / "releases"
VERSIONS = sorted(path.name for path in RELEASES.iterdir()) if RELEASES.exists() else []
CONTRACT, STATES, TOKENS = "contract.binpb", "tokens.binpb", "tokens.json"
STREAM = "{name}-{number}.binpb.gz"

# Of a resume token: a name and a version, an HMAC, then protobuf.
MAGIC_BYTES, MAC_BYTES = 5, 32
PURPOSE = b"intercom-extractor resume token v1"
MADE_AT = 2


def tables() -> Mapping[str, Any]:
    """By name, what tables.proto says of each."""
    options = [
        message.GetOptions().Extensions[annotations.table]
        for message in tables_pb2.DESCRIPTOR.message_types_by_name.values()
        if message.GetOptions().HasExtension(annotations.table)
    ]
    return {table.name: table for table in options}


TABLES = tables()


@dataclass(frozen=True)
class Keys:
    """A set of rows, by nothing but their keys: columns may come later, keys may not."""

    rows: int
    sha256: str

    @classmethod
    def of(cls, keys: Sequence[tuple[Any, ...]]) -> "Keys":
        text = "\n".join(sorted(repr(key) for key in keys))
        return cls(len(keys), hashlib.sha256(text.encode()).hexdigest())


def keys_in(batch: service.RowBatch) -> list[tuple[Any, ...]]:
    columns = TABLES[batch.table].key
    return [
        tuple(getattr(row, column) for column in columns) for row in getattr(batch, batch.table)
    ]


def write_stream(path: Path, events: Sequence[bytes]) -> None:
    text = b"".join(_encoded(len(event)) + event for event in events)
    # The same bytes whenever it is made.
    path.write_bytes(gzip.compress(text, mtime=0))


def read_stream(path: Path) -> Iterator[bytes]:
    text = gzip.decompress(path.read_bytes())
    at = 0
    while at < len(text):
        length, at = _varint(text, at)
        yield text[at : at + length]
        at += length


def with_date(token: bytes, access_token: str, made_at: int) -> bytes:
    """The token as if it had been made then: all others are as they were, byte for byte.

    Tokens are good for 30 days, releases for longer.
    """
    header, state = token[:MAGIC_BYTES], token[MAGIC_BYTES + MAC_BYTES :]
    changed = io.BytesIO()
    at = 0
    while at < len(state):
        start = at
        tag, at = _varint(state, at)
        kind = tag & 7
        assert kind in (0, 2), "neither a number nor bytes"
        value_at = at
        value, at = _varint(state, at)
        if kind == 2:
            at += value
        if tag >> 3 == MADE_AT:
            changed.write(state[start:value_at] + _encoded(made_at))
        else:
            changed.write(state[start:at])
    payload = changed.getvalue()
    extracted = hmac.digest(bytes(32), access_token.encode(), "sha256")
    key = hmac.digest(extracted, PURPOSE + b"\x01", "sha256")
    mac = hmac.digest(key, header + payload, "sha256")
    return header + mac + payload


def _encoded(number: int) -> bytes:
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where the next thing does."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def made_now(token: bytes, access_token: str) -> bytes:
    return with_date(token, access_token, int(time.time()))
