import assert from "node:assert/strict";
import { test } from "node:test";
import { RowBatch } from "./generated/intercom/extractor/v1/extractor_service.js";
import { batchOf, rowsOf } from "./rows.js";

test("every table's rows are found", () => {
  const empty = RowBatch.decode(new Uint8Array());
  const fields = Object.keys(empty).filter(
    (name) => Array.isArray(empty[name as keyof RowBatch]) && name !== "parents",
  );
  assert.equal(fields.length, 22);
  for (const field of fields) {
    const table = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const rows = [{ id: field }];
    assert.equal(rowsOf({ ...empty, table, [field]: rows }), rows);
  }
});

test("a table that nobody knows has no rows", () => {
  const empty = RowBatch.decode(new Uint8Array());
  assert.deepEqual(rowsOf({ ...empty, table: "tomorrow" }), []);
  assert.deepEqual(rowsOf({ ...empty, table: "table" }), []);
});

test("a batch says when its rows were read", () => {
  const message = {
    ...RowBatch.decode(new Uint8Array()),
    table: "tags",
    generation: 2,
    extractedAt: { seconds: 1n, nanos: 0 },
  };
  const batch = batchOf(message);
  assert.equal(batch.extractedAt?.getTime(), 1000);
  assert.equal(batch.generation, 2);
});
