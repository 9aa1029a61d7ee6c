import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Delivery } from "./delivery.js";
import { BrokenStreamError } from "./errors.js";
import type { ExtractResponse } from "./generated/intercom/extractor/v1/extractor_service.js";
import type { Known } from "./received.js";
import {
  checkpoint,
  progress,
  received,
  restarted,
  rowIds,
  summary,
  tags,
  UNKNOWN,
} from "./testing/messages.js";

const NO_TOKEN = Buffer.alloc(0);

/** "1,2" for rows, "#1" for a checkpoint, "!2" for a restart, else the kind. */
function text(message: Known): string {
  switch (message.$case) {
    case "rowBatch":
      return rowIds(message.value.decode()).join(",");
    case "checkpoint":
      return `#${message.value.number}`;
    case "tableRestarted":
      return `!${message.value.generation}`;
    default:
      return message.$case;
  }
}

function feed(delivery: Delivery, ...responses: ExtractResponse[]): string[] {
  return responses.flatMap((response) =>
    [...delivery.onMessage(received(response))].map(text),
  );
}

function broken(delivery: Delivery, response: ExtractResponse): void {
  assert.throws(() => delivery.onMessage(received(response)), BrokenStreamError);
}

describe("by default", () => {
  test("rows wait for their checkpoint", () => {
    const delivery = new Delivery(false, NO_TOKEN);
    assert.deepEqual(feed(delivery, tags(["1"]), tags(["2"])), []);
    assert.deepEqual(feed(delivery, checkpoint(1, 2)), ["1", "2", "#1"]);
  });

  test("progress does not wait", () => {
    const delivery = new Delivery(false, NO_TOKEN);
    assert.deepEqual(feed(delivery, tags(["1"]), progress()), ["progress"]);
  });

  test("what is held back is dropped with its stream, and its token is the last one", () => {
    const delivery = new Delivery(false, NO_TOKEN);
    assert.equal(delivery.begin().length, 0);
    feed(delivery, tags(["1"]), checkpoint(1, 1), tags(["2"]));
    assert.equal(delivery.begin().toString(), "token 1");
    assert.deepEqual(feed(delivery, tags(["2", "3"]), checkpoint(2, 2)), ["2,3", "#2"]);
  });

  test("a restart drops what is held back of its table", () => {
    const delivery = new Delivery(false, NO_TOKEN);
    const events = [tags(["1"]), restarted(2), tags(["2"], 2), restarted(2), tags(["3"], 2)];
    assert.deepEqual(feed(delivery, ...events), []);
    const end = checkpoint(1, 2, { generation: 2 });
    assert.deepEqual(feed(delivery, end), ["!2", "2", "3", "#1"]);
  });
});

describe("at least once", () => {
  test("rows come at once", () => {
    const delivery = new Delivery(true, NO_TOKEN);
    assert.deepEqual(feed(delivery, tags(["1"]), checkpoint(1, 1)), ["1", "#1"]);
  });

  test("after a restart rows wait for a checkpoint, and then no more", () => {
    const delivery = new Delivery(true, NO_TOKEN);
    const events = [tags(["1"]), restarted(2), tags(["2"], 2)];
    assert.deepEqual(feed(delivery, ...events), ["1"]);
    const end = checkpoint(1, 1, { generation: 2 });
    assert.deepEqual(feed(delivery, end, tags(["3"], 2)), ["!2", "2", "#1", "3"]);
  });

  test("a restart that no checkpoint covers has not happened", () => {
    const delivery = new Delivery(true, NO_TOKEN);
    feed(delivery, tags(["1"]), checkpoint(1, 1), restarted(2), tags(["1"], 2));
    delivery.begin();
    assert.deepEqual(feed(delivery, tags(["2"]), checkpoint(2, 1)), ["2", "#2"]);
  });
});

test("late rows of an earlier generation are void", () => {
  const delivery = new Delivery(false, NO_TOKEN);
  feed(delivery, restarted(2), tags(["late"], 1), tags(["1"], 2));
  assert.deepEqual(feed(delivery, checkpoint(1, 1, { generation: 2 })), ["!2", "1", "#1"]);
});

test("who continues takes the generation that comes", () => {
  const delivery = new Delivery(false, Buffer.from("token"));
  assert.equal(delivery.begin().toString(), "token");
  const events = [tags(["1"], 3), checkpoint(4, 1, { generation: 3 })];
  assert.deepEqual(feed(delivery, ...events), ["1", "#4"]);
});

test("an event that nobody knows is skipped", () => {
  assert.deepEqual(feed(new Delivery(false, NO_TOKEN), UNKNOWN), []);
});

test("the summary is the end", () => {
  const delivery = new Delivery(false, NO_TOKEN);
  assert.deepEqual(feed(delivery, summary()), ["summary"]);
  assert.ok(delivery.complete);
  delivery.onEnd();
  broken(delivery, progress());
});

describe("broken promises", () => {
  const begun = () => {
    const delivery = new Delivery(false, NO_TOKEN);
    feed(delivery, tags(["1"]), checkpoint(1, 1), tags(["2"]));
    return delivery;
  };

  test("an end without a summary", () => {
    const delivery = begun();
    assert.throws(() => {
      delivery.onEnd();
    }, BrokenStreamError);
  });
  test("rows that no checkpoint covers", () => {
    broken(begun(), summary());
  });
  test("a generation out of nowhere", () => {
    broken(begun(), tags(["3"], 2));
  });
  test("a row too few", () => {
    broken(begun(), checkpoint(2, 2));
  });
  test("a row too many", () => {
    broken(begun(), checkpoint(2, 0));
  });
  test("a checkpoint twice", () => {
    broken(begun(), checkpoint(1, 1));
  });
  test("no token", () => {
    broken(begun(), checkpoint(2, 1, { token: "" }));
  });
  test("a token above 64 KiB", () => {
    assert.deepEqual(feed(begun(), checkpoint(2, 1, { token: "x".repeat(65_536) })).length, 2);
    broken(begun(), checkpoint(2, 1, { token: "x".repeat(65_537) }));
  });
  test("a checkpoint of an earlier generation", () => {
    const delivery = begun();
    feed(delivery, restarted(2));
    broken(delivery, checkpoint(2, 1, { generation: 1 }));
  });
});
