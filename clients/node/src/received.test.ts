import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { BrokenStreamError } from "./errors.js";
import { ExtractResponse } from "./generated/intercom/extractor/v1/extractor_service.js";
import { ReceivedBatch, receive } from "./received.js";
import { batch, progress, rowIds, tags } from "./testing/messages.js";

function bytesOf(response: ExtractResponse): Buffer {
  return Buffer.from(ExtractResponse.encode(response).finish());
}

function batchIn(bytes: Buffer): ReceivedBatch {
  const message = receive(bytes);
  assert.ok(message.$case === "rowBatch");
  return message.value;
}

test("a batch says what it is before its rows are decoded", () => {
  const parents = [{ id: "1", rows: 0n }];
  const found = batchIn(bytesOf(batch({ table: "users_tags", generation: 3, parents })));
  assert.equal(found.table, "users_tags");
  assert.equal(found.generation, 3);
  assert.equal(found.rowCount, 0);
  assert.deepEqual(found.decode().parents[0]?.id, "1");
  assert.equal(batchIn(bytesOf(tags(["1", "2"]))).rowCount, 2);
});

test("lengths may be padded, and fields nobody knows may stand anywhere", () => {
  const unknown = new BinaryWriter()
    .uint32((99 << 3) | 2)
    .string("new")
    .finish();
  const content = bytesOf(tags(["1"])).subarray(2);
  // The length as a varint of five bytes.
  const padded = Buffer.from([0x0a, content.length | 0x80, 0x80, 0x80, 0x80, 0x00]);
  for (const parts of [
    [padded, content],
    [unknown, padded, content],
    [padded, content, unknown],
  ]) {
    const found = batchIn(Buffer.concat(parts));
    assert.equal(found.rowCount, 1);
    assert.deepEqual(rowIds(found.decode()), ["1"]);
  }
});

test("other events are whole, and unknown ones are unknown", () => {
  assert.equal(receive(bytesOf(progress())).$case, "progress");
  assert.equal(receive(Buffer.alloc(0)).$case, "unknown");
  const unknown = new BinaryWriter()
    .uint32((99 << 3) | 2)
    .string("new")
    .finish();
  assert.equal(receive(Buffer.from(unknown)).$case, "unknown");
});

test("rows that are no protobuf are a broken stream", () => {
  const tag = Buffer.from([0x0a, 0x04, ...Buffer.from("tags"), 0xca, 0x01, 0x01, 0x0f]);
  assert.throws(() => new ReceivedBatch(tag).decode(), BrokenStreamError);
});
