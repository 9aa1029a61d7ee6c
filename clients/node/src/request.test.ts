import assert from "node:assert/strict";
import { test } from "node:test";
import { Template } from "./generated/intercom/extractor/v1/annotations.js";
import { BodyFormat } from "./generated/intercom/extractor/v1/extractor_service.js";
import { extractRequest, planRequest } from "./request.js";

test("without tables or a template it is all", () => {
  assert.equal(extractRequest("default", {}).template, Template.TEMPLATE_ALL);
});

test("tables alone are tables alone", () => {
  const request = extractRequest("default", { tables: ["tags", "users"] });
  assert.equal(request.template, Template.TEMPLATE_UNSPECIFIED);
  assert.deepEqual(request.tables, ["tags", "users"]);
});

test("a template and tables add up", () => {
  const request = extractRequest("default", { template: "basic", tables: ["conversations"] });
  assert.equal(request.template, Template.TEMPLATE_BASIC);
  assert.deepEqual(request.tables, ["conversations"]);
});

test("times are Unix seconds or dates", () => {
  for (const updatedSince of [1_735_000_000, 1_735_000_000n, new Date(1_735_000_000_900)]) {
    const request = extractRequest("default", { updatedSince });
    assert.deepEqual(request.updatedSince, { seconds: 1_735_000_000n, nanos: 0 });
  }
  assert.equal(extractRequest("default", {}).updatedSince, undefined);
});

test("what makes no sense is said at once", () => {
  assert.throws(
    () => extractRequest("default", { updatedSince: new Date("never") }),
    TypeError,
  );
  assert.throws(() => extractRequest("default", { tables: "tags" as never }), TypeError);
  assert.throws(() => extractRequest("default", { template: "toString" as never }), TypeError);
});

test("a plan is of the same", () => {
  const selection = { tables: ["tags"], bodyFormat: "html", findDeleted: true } as const;
  const plan = planRequest("other", selection);
  assert.deepEqual(plan, {
    connection: "other",
    template: Template.TEMPLATE_UNSPECIFIED,
    tables: ["tags"],
    bodyFormat: BodyFormat.BODY_FORMAT_HTML,
    updatedSince: undefined,
    findDeleted: true,
  });
});
