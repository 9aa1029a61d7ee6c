import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test, type TestContext } from "node:test";
import { Client, type ClientOptions } from "./client.js";
import {
  CancelledError,
  ConnectionUnknownError,
  DeadlineExceededError,
  UnavailableError,
} from "./errors.js";
import type {
  ExtractRequest,
  ExtractResponse,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import { checkpoint, progress, summary, tags } from "./testing/messages.js";
import { TestServer } from "./testing/server.js";

async function connect(
  context: TestContext,
  answer: (request: ExtractRequest) => Iterable<ExtractResponse>,
  options: ClientOptions & { holds?: boolean; tables?: string[] } = {},
): Promise<{ server: TestServer; client: Client }> {
  const server = await new TestServer(answer, options).start();
  const client = new Client(server.address, options);
  context.after(() => {
    client.close();
    server.stop();
  });
  return { server, client };
}

const WHOLE = () => [tags(["1", "2"]), checkpoint(1, 2), summary()];

/** Until a condition holds, which other events of the process bring about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await sleep(1);
  }
}

test("rows cross the wire", async (context) => {
  const { client } = await connect(context, WHOLE);
  const rows = [];
  for await (const { table, row } of client.extract({ tables: ["tags"] })) {
    rows.push([table, row.id, row.name]);
  }
  assert.deepEqual(rows, [
    ["tags", "1", null],
    ["tags", "2", null],
  ]);
});

test("the request says what was asked for", async (context) => {
  const requests: ExtractRequest[] = [];
  const { client } = await connect(
    context,
    (request) => {
      requests.push(request);
      return WHOLE();
    },
    { connection: "second" },
  );
  const resumeToken = Buffer.from("token");
  const options = { tables: ["tags"], withParents: true, resumeToken } as const;
  for await (const event of client.extract(options).events()) {
    assert.ok(event.kind !== "notice");
  }
  const [request] = requests;
  assert.ok(request !== undefined);
  assert.equal(request.connection, "second");
  assert.equal(request.withParents, true);
  assert.deepEqual(request.resumeToken, resumeToken);
});

test("the caller's token is shown", async (context) => {
  const { server, client } = await connect(context, WHOLE, { token: "opensesame" });
  await client
    .extract({ tables: ["tags"] })
    .events()
    .next();
  assert.deepEqual(server.metadata[0]?.get("authorization"), ["Bearer opensesame"]);
});

test("an extraction describes the tables that it reads", async (context) => {
  const { client } = await connect(context, WHOLE, { tables: ["users", "tags", "admins"] });
  const names = async (tables: ("users" | "tags")[]) =>
    (await client.extract({ tables }).tables()).map(({ table }) => table?.name);
  assert.deepEqual(await names(["tags"]), ["tags"]);
  assert.deepEqual(await names([]), ["users", "tags", "admins"]);
});

describe("errors", () => {
  test("of single answers have types", async (context) => {
    const { client } = await connect(context, WHOLE);
    await assert.rejects(client.check(), ConnectionUnknownError);
  });

  test("a server that is not there is said at once", async () => {
    const nobody = createServer().listen(0, "127.0.0.1");
    await once(nobody, "listening");
    const { port } = nobody.address() as AddressInfo;
    nobody.close();
    const client = new Client(`127.0.0.1:${port}`);
    await assert.rejects(client.extract().events().next(), UnavailableError);
    client.close();
  });

  test("a deadline ends a call that has no answer", async (context) => {
    const { client } = await connect(context, WHOLE);
    await assert.rejects(client.plan({ timeoutMs: 50 }), DeadlineExceededError);
  });

  test("a deadline ends an extraction", async (context) => {
    const { client } = await connect(context, () => [progress()], { holds: true });
    const events = client.extract({ timeoutMs: 300 }).events();
    await events.next();
    await assert.rejects(events.next(), DeadlineExceededError);
  });
});

describe("cancelling reaches the server", () => {
  test("when a loop is left", async (context) => {
    const { server, client } = await connect(context, () => [progress()], { holds: true });
    for await (const event of client.extract().events()) {
      assert.equal(event.kind, "progress");
      break;
    }
    await until(() => server.cancelled === 1);
  });

  test("when a signal is aborted", async (context) => {
    const { server, client } = await connect(context, () => [progress()], { holds: true });
    const stop = new AbortController();
    const events = client.extract({ signal: stop.signal }).events();
    await events.next();
    const rest = events.next();
    stop.abort();
    await assert.rejects(rest, { name: "AbortError" });
    await until(() => server.cancelled === 1);
  });

  test("when a signal is aborted during a call with one answer", async (context) => {
    const { server, client } = await connect(context, WHOLE);
    // So that it is connected.
    await client.tables();
    const stop = new AbortController();
    const plan = client.plan({ signal: stop.signal });
    setTimeout(() => {
      stop.abort();
    }, 50);
    await assert.rejects(plan, { name: "AbortError" });
    await until(() => server.cancelled === 1);
    await assert.rejects(client.plan({ signal: stop.signal }), { name: "AbortError" });
  });

  test("when the client is closed, which is no end of the rows", async (context) => {
    const { server, client } = await connect(context, () => [progress()], { holds: true });
    const events = client.extract().events();
    await events.next();
    const rest = events.next();
    client.close();
    await assert.rejects(rest, CancelledError);
    await until(() => server.cancelled === 1);
  });
});

test("a reader that waits stops the server", async (context) => {
  // 64 MiB of events.
  const large = "x".repeat(64 << 10);
  const events = Array.from({ length: 1024 }, () => tags([large]));
  const { server, client } = await connect(context, () => events, { holds: true });
  const rows = client.extract({ tables: ["tags"], atLeastOnce: true })[Symbol.asyncIterator]();
  await rows.next();
  let before = -1;
  while (server.sent !== before) {
    before = server.sent;
    await sleep(200);
  }
  assert.ok(server.sent < 200, `${server.sent} events left the server`);
  await rows.return?.();
});
