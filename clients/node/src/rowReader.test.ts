import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { RowReader } from "./rowReader.js";

function written(...texts: string[]): Buffer {
  const writer = new BinaryWriter();
  for (const text of texts) {
    writer.string(text);
  }
  return Buffer.from(writer.finish());
}

test("texts of all lengths and alphabets come back", () => {
  const texts = ["", "a", "é", "日本", "🙂"];
  for (let length = 1; length < 20; length += 1) {
    texts.push("abcdefghijklmnopqrst".slice(0, length), "a".repeat(length) + "é");
    texts.push("é" + "a".repeat(length), "a".repeat(length) + "é" + "a".repeat(length));
  }
  texts.push("\uFEFFmark", "🙂".repeat(1000), "\0", "line\nline");
  const reader = new RowReader(written(...texts));
  assert.deepEqual(
    texts.map(() => reader.string()),
    texts,
  );
});

test("what is no UTF-8 reads as with the library", () => {
  for (const bytes of [[0xff], [0x61, 0xc3], [0xe2, 0x82, 0x61], Array(20).fill(0x80)]) {
    const buffer = Buffer.from([bytes.length, ...(bytes as number[])]);
    assert.equal(new RowReader(buffer).string(), new BinaryReader(buffer).string());
  }
});

test("a text that ends too early is an error", () => {
  for (const text of ["short", "longer than what is short"]) {
    const bytes = written(text);
    const reader = new RowReader(bytes.subarray(0, bytes.length - 1));
    assert.throws(() => reader.string(), RangeError);
  }
});

test("a part of a larger buffer is read from where it begins", () => {
  const bytes = Buffer.concat([Buffer.from("before"), written("x".repeat(40), "y")]).subarray(
    6,
  );
  const reader = new RowReader(bytes);
  assert.deepEqual([reader.string(), reader.string()], ["x".repeat(40), "y"]);
});
