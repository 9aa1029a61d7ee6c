"""Writes the messages of golden/ as bytes and as JSON, from the descriptors of the .proto files.

    tests/clients/run.sh golden     makes them anew

Neither the bytes nor the JSON come from a protobuf library: that is what they test.
"""

import base64
import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from intercom.extractor.v1 import extractor_service_pb2 as service

GOLDEN = Path(__file__).parent / "golden"
VARINT, FIXED64, LENGTH = 0, 1, 2
# As the server writes them, whose batches are written before their lengths are known.
PADDED_BYTES = 5
FIRST_ROWS = 11


class Flavour(Enum):
    """What the fields of a message hold."""

    FULL = "each field, negative where it can be, lengths padded to five bytes"
    ABSENT = "nothing"
    ZERO = "each field with presence, empty, 0 or false"
    EXTREME = "the largest and smallest, each scalar twice, in reverse order, unknown fields"


@dataclass(frozen=True)
class Sample:
    data: bytes
    json: Any


def varint(number: int, width: int = 1) -> bytes:
    """Of at least `width` bytes; negative numbers take ten."""
    number &= (1 << 64) - 1
    data = bytearray()
    while number > 0x7F or len(data) + 1 < width:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def delimited(data: bytes, flavour: Flavour) -> bytes:
    return varint(len(data), PADDED_BYTES if flavour is Flavour.FULL else 1) + data


def tag(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def scalar(field: FieldDescriptor, flavour: Flavour) -> tuple[int, Sample]:
    """The wire type, and a value of the field."""
    kind, number = field.type, field.number
    full, extreme = flavour is Flavour.FULL, flavour is Flavour.EXTREME
    if kind == FieldDescriptor.TYPE_STRING:
        text = ""
        if full:
            text = f'{field.name}, "é",\n\u2028 \U0001f642'
        elif extreme:
            # A length of two bytes.
            text = "\0\t\x7f\u00ff" * 40
        return LENGTH, Sample(delimited(text.encode(), flavour), text)
    if kind == FieldDescriptor.TYPE_BYTES:
        data = bytes(range(256)) if full else b"\0" if extreme else b""
        return LENGTH, Sample(delimited(data, flavour), base64.b64encode(data).decode())
    if kind == FieldDescriptor.TYPE_BOOL:
        value = full or extreme
        return VARINT, Sample(varint(value), value)
    if kind == FieldDescriptor.TYPE_DOUBLE:
        double = 0.0
        if full:
            double = -number - 0.1
        elif extreme:
            double = sys.float_info.max if number % 2 else 5e-324
        return FIXED64, Sample(struct.pack("<d", double), double)
    if kind == FieldDescriptor.TYPE_ENUM:
        values = field.enum_type.values
        value = values[-1] if full else values[1] if extreme else values[0]
        return VARINT, Sample(varint(value.number), value.name)
    bits = 64 if kind == FieldDescriptor.TYPE_INT64 else 32
    signed = kind in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_INT32)
    integer = 0
    if full:
        integer = -number if signed else number
    elif extreme:
        largest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        integer = -largest - 1 if signed and number % 2 else largest
    return VARINT, Sample(varint(integer), str(integer) if bits == 64 else integer)


def well_known(name: str, flavour: Flavour) -> Sample | None:
    """A time or a duration, which have JSON of their own."""
    seconds, nanos = {
        Flavour.FULL: (1_741_590_000, 123_000_000),
        Flavour.EXTREME: (1, 1),
    }.get(flavour, (0, 0))
    data = b""
    if seconds:
        data = tag(1, VARINT) + varint(seconds) + tag(2, VARINT) + varint(nanos)
    if name == "google.protobuf.Timestamp":
        texts = {1_741_590_000: "2025-03-10T07:00:00.123Z", 1: "1970-01-01T00:00:01.000000001Z"}
        return Sample(data, texts.get(seconds, "1970-01-01T00:00:00Z"))
    if name == "google.protobuf.Duration":
        texts = {1_741_590_000: "1741590000.123s", 1: "1.000000001s"}
        return Sample(data, texts.get(seconds, "0s"))
    return None


def message(kind: Descriptor, flavour: Flavour) -> Sample:
    known = well_known(kind.full_name, flavour)
    if known is not None:
        return known
    parts: list[bytes] = []
    fields: dict[str, Any] = {}
    for field in kind.fields:
        part = _field(field, flavour)
        if part is not None:
            parts.append(part.data)
            fields[field.name] = part.json
    if flavour is Flavour.EXTREME:
        parts = [UNKNOWN, *reversed(parts), UNKNOWN]
    return Sample(b"".join(parts), fields)


# Of fields 4000 to 4002, which no message has.
UNKNOWN = (
    tag(4000, LENGTH)
    + b"\x03new"
    + tag(4001, VARINT)
    + varint(-1)
    + tag(4002, FIXED64)
    + b"8 bytes."
)


def _field(field: FieldDescriptor, flavour: Flavour) -> Sample | None:
    """With its tag; None where the flavour leaves it out."""
    if flavour is Flavour.ABSENT:
        return None
    if field.message_type is not None:
        if flavour is Flavour.ZERO:
            if field.is_repeated:
                return None
            return _messages(field, [Flavour.ABSENT])
        if not field.is_repeated:
            return _messages(field, [flavour])
        # Not in messages of every depth: they would grow by the product.
        return _messages(field, [flavour, Flavour.ABSENT])
    wire_type, value = scalar(field, flavour)
    data = tag(field.number, wire_type) + value.data
    if field.is_repeated:
        if flavour is Flavour.ZERO:
            return None
        return Sample(data * 2, [value.json] * 2)
    if flavour is Flavour.ZERO and not field.has_presence:
        return None
    if flavour is Flavour.EXTREME:
        # The last one counts.
        _, other = scalar(field, Flavour.FULL)
        data = tag(field.number, wire_type) + other.data + data
    return Sample(data, value.json)


def _messages(field: FieldDescriptor, flavours: list[Flavour]) -> Sample:
    data, values = b"", []
    for flavour in flavours:
        one = message(field.message_type, flavour)
        data += tag(field.number, LENGTH) + delimited(one.data, flavour)
        values.append(one.json)
    return Sample(data, values if field.is_repeated else values[0])


def batch(rows: FieldDescriptor) -> Sample:
    """A batch of one table, with a row of each flavour."""
    parts: list[bytes] = []
    fields: dict[str, Any] = {"table": rows.name}
    for field in service.RowBatch.DESCRIPTOR.fields:
        if field.name == "table":
            name = rows.name.encode()
            parts.append(tag(field.number, LENGTH) + delimited(name, Flavour.FULL))
        elif field.number < FIRST_ROWS:
            part = _field(field, Flavour.FULL)
            assert part is not None
            parts.append(part.data)
            fields[field.name] = part.json
        elif field.number == rows.number:
            part = _messages(field, list(Flavour))
            parts.append(part.data)
            fields[field.name] = part.json
    return Sample(b"".join(parts), fields)


def samples() -> Iterator[tuple[str, Sample]]:
    """Each is an ExtractResponse."""
    events = service.ExtractResponse.DESCRIPTOR
    row_batch = events.fields_by_name["row_batch"]
    for rows in service.RowBatch.DESCRIPTOR.fields:
        if rows.number >= FIRST_ROWS:
            yield f"rows.{rows.name}", _event(row_batch, batch(rows), Flavour.FULL)
    for field in events.fields:
        if field is row_batch:
            continue
        for flavour in Flavour:
            name = f"event.{field.name}.{flavour.name.lower()}"
            yield name, _event(field, message(field.message_type, flavour), flavour)
    yield "event.unknown", Sample(tag(99, LENGTH) + delimited(b"later", Flavour.FULL), {})


def _event(field: FieldDescriptor, sample: Sample, flavour: Flavour) -> Sample:
    data = tag(field.number, LENGTH) + delimited(sample.data, flavour)
    return Sample(data, {field.name: sample.json})


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, sample in samples():
        (folder / f"{name}.binpb").write_bytes(sample.data)
        text = json.dumps(sample.json, indent=1, ensure_ascii=True)
        (folder / f"{name}.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN)
