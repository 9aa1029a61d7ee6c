import assert from "node:assert/strict";
import { test } from "node:test";
import { Notice, Summary } from "./generated/intercom/extractor/v1/extractor_service.js";
import { Tag, User } from "./generated/intercom/extractor/v1/tables.js";
import { rowToJson, toJson } from "./json.js";
import type { Row } from "./rows.js";
import { summary } from "./testing/messages.js";
import { toDate, toMs, toText } from "./time.js";

test("a row has all columns in their order, with nulls and exact integers", () => {
  const bytes = Tag.encode({ ...Tag.decode(new Uint8Array()), id: "7" }).finish();
  const row = Tag.decode(bytes) as Row<"tags">;
  assert.equal(JSON.stringify(rowToJson(row)).startsWith('{"type":null,"id":"7"'), true);
  const user = User.decode(new Uint8Array()) as Row<"users">;
  user.created_at = 9_007_199_254_740_993n;
  assert.equal(rowToJson(user).created_at, "9007199254740993");
});

test("messages have the names of the .proto files, texts for times and names for enums", () => {
  const event = summary().event;
  assert.ok(event?.$case === "summary");
  const message = {
    ...event.value,
    elapsed: { seconds: 2n, nanos: 500_000_000 },
    startedAt: { seconds: 1_735_000_000n, nanos: 1 },
  };
  assert.deepEqual(toJson(Summary, message), {
    elapsed: "2.500s",
    started_at: "2024-12-24T00:26:40.000000001Z",
  });
  const notice = { ...Notice.decode(new Uint8Array()), code: 1, recordId: "7" };
  assert.deepEqual(toJson(Notice, notice), {
    code: "NOTICE_CODE_VALUE_INVALID",
    record_id: "7",
  });
});

test("times and durations become numbers", () => {
  assert.equal(toDate({ seconds: 2n, nanos: 3_999_999 }).getTime(), 2003);
  assert.equal(toMs({ seconds: 1n, nanos: 500_000 }), 1000.5);
  assert.equal(toText({ seconds: 0n, nanos: 0 }), "1970-01-01T00:00:00Z");
  assert.equal(toText({ seconds: -1n, nanos: 500_000_000 }), "1969-12-31T23:59:59.5Z");
});
