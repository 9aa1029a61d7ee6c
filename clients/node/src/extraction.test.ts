import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  BrokenStreamError,
  CancelledError,
  DeadlineExceededError,
  TableRestartedError,
  UnavailableError,
} from "./errors.js";
import { Extraction } from "./extraction.js";
import { extractRequest } from "./request.js";
import { Run, type RunOptions } from "./run.js";
import { FakeCalls, FakeTiming, LOST, type Script } from "./testing/fakes.js";
import { checkpoint, progress, restarted, summary, tags } from "./testing/messages.js";

interface Setup {
  calls: FakeCalls;
  timing: FakeTiming;
  extraction: Extraction<"tags">;
}

function extract(
  scripts: readonly Script[],
  { signal, ...options }: RunOptions & { signal?: AbortSignal } = {},
): Setup {
  const calls = new FakeCalls(scripts);
  const timing = new FakeTiming();
  const run = new Run(extractRequest("default", { tables: ["tags"] }), options, timing);
  const describe = () => Promise.resolve([]);
  const extraction = new Extraction<"tags">(run, calls.start, describe, timing, signal);
  return { calls, timing, extraction };
}

async function ids(extraction: Extraction<"tags">): Promise<string[]> {
  const found: string[] = [];
  for await (const { row } of extraction) {
    found.push(row.id ?? "");
  }
  return found;
}

const WHOLE: Script = [tags(["1", "2"]), checkpoint(1, 2), summary()];

test("rows come one by one, then the summary is there", async () => {
  const { extraction } = extract([WHOLE]);
  assert.equal(extraction.summary, undefined);
  assert.deepEqual(await ids(extraction), ["1", "2"]);
  assert.notEqual(extraction.summary, undefined);
  assert.equal(extraction.lastCheckpoint?.toString(), "token 1");
});

test("rows that are asked for all at once come in their order", async () => {
  const { extraction } = extract([
    [tags(["1"]), tags([]), tags(["2", "3"]), checkpoint(1, 3), summary()],
  ]);
  const rows = extraction[Symbol.asyncIterator]();
  const results = await Promise.all(Array.from({ length: 5 }, () => rows.next()));
  const found = results.map(({ done, value }) => (done ? "end" : (value.row.id ?? "")));
  assert.deepEqual(found, ["1", "2", "3", "end", "end"]);
});

test("events come in the stream's order", async () => {
  const { extraction } = extract([
    [progress(), tags(["1"]), progress(), checkpoint(1, 1), summary()],
  ]);
  const kinds: string[] = [];
  for await (const event of extraction.events()) {
    kinds.push(event.kind);
  }
  assert.deepEqual(kinds, ["progress", "progress", "rows", "checkpoint", "summary"]);
});

test("a checkpoint counts once the row after it is asked for, and is waited for", async () => {
  const seen: string[] = [];
  const { extraction } = extract(
    [[tags(["1"]), checkpoint(1, 1), tags(["2"]), checkpoint(2, 1), summary()]],
    {
      onCheckpoint: async ({ number }) => {
        await Promise.resolve();
        seen.push(`#${number}`);
      },
    },
  );
  for await (const { row } of extraction) {
    seen.push(row.id ?? "");
  }
  assert.deepEqual(seen, ["1", "#1", "2", "#2"]);
});

test("no message is taken before its rows are wanted", async () => {
  const { calls, extraction } = extract(
    [[tags(["1"]), tags(["2"]), tags(["3"]), checkpoint(1, 3), summary()]],
    { atLeastOnce: true },
  );
  const rows = extraction[Symbol.asyncIterator]();
  assert.equal(calls.taken, 0);
  await rows.next();
  assert.equal(calls.taken, 1);
  await rows.next();
  assert.equal(calls.taken, 2);
});

describe("lost connections", () => {
  const first: Script = [tags(["1"]), checkpoint(1, 1), tags(["2"]), LOST];
  const second: Script = [tags(["2", "3"]), checkpoint(2, 2), summary()];

  test("it goes on from the last checkpoint after a pause", async () => {
    const { calls, timing, extraction } = extract([first, second]);
    assert.deepEqual(await ids(extraction), ["1", "2", "3"]);
    assert.equal(extraction.reconnects, 1);
    assert.deepEqual(timing.slept, [750]);
    const tokens = calls.requests.map((request) => request.resumeToken.toString());
    assert.deepEqual(tokens, ["", "token 1"]);
  });

  test("at least once repeats what no checkpoint covered", async () => {
    const { extraction } = extract([first, second], { atLeastOnce: true });
    assert.deepEqual(await ids(extraction), ["1", "2", "2", "3"]);
  });

  test("a checkpoint sets the pauses back", async () => {
    const lost: Script = [progress(), LOST];
    const { timing, extraction } = extract([lost, lost, first, second]);
    await ids(extraction);
    assert.deepEqual(timing.slept, [750, 1500, 750]);
  });

  test("five tries in a row are enough", async () => {
    const lost: Script = [progress(), LOST];
    const { timing, extraction } = extract([lost, lost, lost, lost, lost, lost]);
    await assert.rejects(ids(extraction), UnavailableError);
    assert.deepEqual(timing.slept, [750, 1500, 3000, 6000, 12_000]);
  });

  test("a server that was never reached is said at once", async () => {
    const { timing, extraction } = extract([[LOST]]);
    await assert.rejects(ids(extraction), UnavailableError);
    assert.deepEqual(timing.slept, []);
  });

  test("what the server says of Intercom is the caller's", async () => {
    const error = new UnavailableError("away", {
      code: "UNAVAILABLE",
      reason: "INTERCOM_UNREACHABLE",
    });
    const { calls, extraction } = extract([[progress(), error]]);
    await assert.rejects(ids(extraction), error);
    assert.equal(calls.requests.length, 1);
  });

  test("after the summary there is nothing to go on with", async () => {
    const { extraction } = extract([[...WHOLE, LOST]]);
    await assert.rejects(ids(extraction), LOST);
  });

  test("the deadline counts over all calls", async () => {
    const { calls, extraction } = extract([first, second], { timeoutMs: 10_000 });
    await ids(extraction);
    assert.deepEqual(calls.timeouts, [10_000, 9250]);
  });

  test("a pause that is longer than the time left is no use", async () => {
    const { timing, extraction } = extract([first], { timeoutMs: 700 });
    await assert.rejects(ids(extraction), DeadlineExceededError);
    assert.deepEqual(timing.slept, []);
  });

  test("who wants to know is told", async () => {
    const told: unknown[] = [];
    const { extraction } = extract([first, second], {
      onReconnect: (error, delayMs) => {
        told.push(error, delayMs);
      },
    });
    await ids(extraction);
    assert.deepEqual(told, [LOST, 750]);
  });
});

describe("tables that begin anew", () => {
  const anew: Script = [
    tags(["1"]),
    checkpoint(1, 1),
    restarted(2),
    tags(["2"], 2),
    checkpoint(2, 1, { generation: 2 }),
    summary(),
  ];

  test("rows are never void in silence", async () => {
    const { calls, extraction } = extract([[...anew, "holds"]]);
    await assert.rejects(ids(extraction), TableRestartedError);
    assert.equal(calls.cancelled, 1);
  });

  test("who listens drops them and goes on", async () => {
    const found: string[] = [];
    const { extraction } = extract([anew], {
      onTableRestarted: () => {
        found.length = 0;
      },
    });
    for await (const { row } of extraction) {
      found.push(row.id ?? "");
    }
    assert.deepEqual(found, ["2"]);
  });

  test("without rows so far there is nothing to drop", async () => {
    const script = [
      restarted(2),
      tags(["2"], 2),
      checkpoint(1, 1, { generation: 2 }),
      summary(),
    ];
    assert.deepEqual(await ids(extract([script]).extraction), ["2"]);
  });

  test("who continues may have rows", async () => {
    const script = [
      restarted(2),
      tags(["2"], 2),
      checkpoint(1, 1, { generation: 2 }),
      summary(),
    ];
    const { extraction } = extract([script], { resumeToken: Buffer.from("token") });
    await assert.rejects(ids(extraction), TableRestartedError);
  });
});

describe("cancelling", () => {
  test("leaving the loop ends the call", async () => {
    const { calls, extraction } = extract([[tags(["1"]), checkpoint(1, 1), "holds"]]);
    for await (const { row } of extraction) {
      assert.equal(row.id, "1");
      break;
    }
    assert.equal(calls.cancelled, 1);
    // Not all rows before it were handed out.
    assert.equal(extraction.lastCheckpoint, undefined);
  });

  test("close ends a wait for the server", async () => {
    const { calls, extraction } = extract([[progress(), "holds"]], {
      onProgress: () => {
        setImmediate(() => {
          extraction.close();
        });
      },
    });
    assert.deepEqual(await ids(extraction), []);
    assert.equal(calls.cancelled, 1);
  });

  test("a signal ends a wait for the server with its reason", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const { calls, extraction } = extract([[progress(), "holds"]], {
      signal: stop.signal,
      onProgress: () => {
        setImmediate(() => {
          stop.abort(reason);
        });
      },
    });
    await assert.rejects(ids(extraction), reason);
    assert.equal(calls.cancelled, 1);
  });

  test("a signal ends the pause between two tries", async () => {
    const stop = new AbortController();
    const { calls, timing, extraction } = extract([[progress(), LOST]], {
      signal: stop.signal,
      onReconnect: () => {
        setImmediate(() => {
          stop.abort();
        });
      },
    });
    timing.sleepsForever = true;
    await assert.rejects(ids(extraction), { name: "AbortError" });
    assert.equal(calls.requests.length, 1);
  });

  test("a signal that was aborted before calls nobody", async () => {
    const { calls, extraction } = extract([WHOLE], { signal: AbortSignal.abort() });
    await assert.rejects(ids(extraction), { name: "AbortError" });
    assert.equal(calls.requests.length, 0);
  });

  test("abort ends with the error given", async () => {
    const { extraction } = extract([[progress(), "holds"]], {
      onProgress: () => {
        setImmediate(() => {
          extraction.abort(new CancelledError("the client was closed"));
        });
      },
    });
    await assert.rejects(ids(extraction), CancelledError);
  });
});

test("a broken stream is an error and ends the call", async () => {
  const { calls, extraction } = extract([[tags(["1"]), checkpoint(1, 2), "holds"]]);
  await assert.rejects(ids(extraction), BrokenStreamError);
  assert.equal(calls.cancelled, 1);
});

test("an error of who listens is theirs and ends the call", async () => {
  const theirs = new Error("theirs");
  const { calls, extraction } = extract([[progress(), "holds"]], {
    onProgress: () => Promise.reject(theirs),
  });
  await assert.rejects(ids(extraction), theirs);
  assert.equal(calls.cancelled, 1);
});
