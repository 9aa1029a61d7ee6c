import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.js";

test("pauses double five times and then there are none", () => {
  const backoff = new Backoff(() => 0);
  const pauses = Array.from({ length: 6 }, () => backoff.next());
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, undefined]);
});

test("chance takes up to half of a pause", () => {
  assert.equal(new Backoff(() => 0.5).next(), 750);
  const shortest = new Backoff(() => 0.999_999).next();
  assert.ok(shortest !== undefined && shortest > 500 && shortest < 501);
});

test("progress sets the pauses back", () => {
  const backoff = new Backoff(() => 0);
  backoff.next();
  backoff.next();
  backoff.onProgress();
  assert.equal(backoff.next(), 1000);
});
