"""Reads CSV and JSON Lines as Python does, for a fuzzer at the other end of two pipes.

A request is the size of a text (4 bytes, little endian), "c" or "j", the text. The answer is
a size and, for each record, "R" and its values: "N" null, "S" text (its size, its bytes),
"B" bool (1 byte), "I" integer (as "S"), "D" double (8 bytes). Or "X" and what is wrong.
"""

import csv
import io
import json
import struct
import sys


def sized(kind: bytes, text: str) -> bytes:
    content = text.encode("utf-8", "surrogateescape")
    return kind + struct.pack("<I", len(content)) + content


def plain_csv(text: str) -> list[list[str | None]]:
    """RFC 4180 with LF, character by character; None: an empty field without quotes."""
    records, record, field, quoted, inside = [], [], "", False, False
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if inside:
            if character != '"':
                field += character
            elif text[at : at + 1] == '"':
                field += '"'
                at += 1
            else:
                inside = False
        elif character == '"':
            if field or quoted:
                raise ValueError("a quote within a field")
            quoted = inside = True
        elif character in ",\n":
            record.append(field if field or quoted else None)
            field, quoted = "", False
            if character == "\n":
                records.append(record)
                record = []
        else:
            if quoted:
                raise ValueError("text behind a quote")
            field += character
    if inside or field or quoted or record:
        raise ValueError("no line end at the end")
    return records


def read_csv(text: str) -> bytes:
    plain = plain_csv(text)
    with io.StringIO(text, newline="") as file:
        rows = list(csv.reader(file, strict=True))
    if rows != [[field or "" for field in record] for record in plain]:
        raise ValueError("csv.reader reads other records")
    answer = bytearray()
    for record in plain:
        answer += b"R"
        for field in record:
            answer += b"N" if field is None else sized(b"S", field)
    return bytes(answer)


def value_of(value: object) -> bytes:
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"B" + bytes([value])
    if isinstance(value, int):
        return sized(b"I", str(value))
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    if isinstance(value, str):
        return sized(b"S", value)
    raise ValueError(f"a {type(value).__name__}")


def read_jsonl(text: str) -> bytes:
    *lines, end = text.split("\n")
    if end:
        raise ValueError("no line end at the end")
    answer = bytearray()
    for line in lines:
        answer += b"R"
        for key, value in json.loads(line, object_pairs_hook=list):
            answer += sized(b"S", key) + value_of(value)
    return bytes(answer)


def main() -> None:
    # Its default would cut the longest texts.
    csv.field_size_limit(sys.maxsize)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while header := requests.read(5):
        size, form = struct.unpack("<Ic", header)
        text = requests.read(size).decode("utf-8", "surrogateescape")
        try:
            answer = (read_csv if form == b"c" else read_jsonl)(text)
        except (ValueError, csv.Error) as error:
            answer = b"X" + str(error).encode()
        answers.write(struct.pack("<I", len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
