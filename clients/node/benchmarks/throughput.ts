/**
 * How fast the client hands out rows, beside a bare loop over the stub that touches the same.
 *
 * Prints JSON: per way of reading the median of rows/s and of CPU seconds per million rows, and
 * `ratio`, the median of its rows/s beside those of the bare loop of the same round. A server in
 * a process of its own sends the same batches again and again, so that the client is what is
 * measured.
 *
 *     benchmarks/run [--rows N] [--rounds N]    rounds of each process
 */

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ChannelCredentials } from "@grpc/grpc-js";
import { Client } from "intercom-extractor";
import {
  ExtractorServiceClient,
  ExtractRequest,
  ExtractResponse,
  RowBatch,
} from "intercom-extractor/v1";

// As the server's: batches of some 256 KiB, a checkpoint after 5,000 rows.
const BATCH_ROWS = 400;
const BATCHES_PER_CHECKPOINT = 12;

/** How often each way is measured in a process of its own. */
const SETS = 5;

function batch(): Buffer {
  const attributes = Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => [`attribute_${n}`, "x".repeat(20)]),
  );
  const users = Array.from({ length: BATCH_ROWS }, (_, number) => ({
    type: "user",
    id: `5ba682d23d7cf92bef87${String(number).padStart(4, "0")}`,
    created_at: BigInt(1_538_097_800 + number),
    updated_at: BigInt(1_638_097_800 + number),
    email: `somebody.${number}@example.com`,
    phone: "+1 555 0100",
    user_id: String(number),
    unsubscribed_from_emails: false,
    name: "Somebody With A Name",
    location_data_city_name: "Dublin",
    location_data_country_name: "Ireland",
    location_data_latitude: 53.159233,
    custom_attributes: JSON.stringify(attributes),
  }));
  const value = { ...RowBatch.decode(new Uint8Array()), table: "users", generation: 1, users };
  return encoded({ event: { $case: "rowBatch", value } });
}

function checkpoint(number: number): Buffer {
  const rows = BigInt(BATCH_ROWS * BATCHES_PER_CHECKPOINT);
  return encoded({
    event: {
      $case: "checkpoint",
      value: {
        number: BigInt(number),
        resumeToken: Buffer.alloc(200, "t"),
        rows: [{ table: "users", rows, generation: 1 }],
      },
    },
  });
}

/** An empty summary. */
const SUMMARY = Buffer.from([0x2a, 0]);

function encoded(response: ExtractResponse): Buffer {
  return Buffer.from(ExtractResponse.encode(response).finish());
}

/** As gRPC frames it: not compressed, and its length. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function* stream(rows: number): Generator<Buffer> {
  const users = framed(batch());
  const intervals = Math.ceil(rows / (BATCH_ROWS * BATCHES_PER_CHECKPOINT));
  for (let number = 1; number <= intervals; number += 1) {
    for (let index = 0; index < BATCHES_PER_CHECKPOINT; index += 1) {
      yield users;
    }
    yield framed(checkpoint(number));
  }
  yield framed(SUMMARY);
}

/**
 * Tells its parent the port, and ends with it. HTTP/2 without grpc-js, which would take as long
 * to send rows as the clients take to read them.
 */
async function serve(rows: number): Promise<void> {
  const server = createServer();
  server.on("stream", (call) => {
    call.on("error", () => undefined);
    call.respond(
      { ":status": 200, "content-type": "application/grpc" },
      { waitForTrailers: true },
    );
    call.on("wantTrailers", () => {
      call.sendTrailers({ "grpc-status": "0" });
    });
    Readable.from(stream(rows)).pipe(call);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.send?.((server.address() as AddressInfo).port);
  process.once("disconnect", () => {
    process.exit();
  });
}

// As the client's own.
const CHANNEL_OPTIONS = {
  "grpc.max_receive_message_length": 64 << 20,
  "grpc-node.flow_control_window": 1 << 20,
};

async function bare(address: string): Promise<number> {
  let rows = 0;
  const credentials = ChannelCredentials.createInsecure();
  const stub = new ExtractorServiceClient(address, credentials, CHANNEL_OPTIONS);
  const responses = stub.extract(ExtractRequest.decode(new Uint8Array()));
  for await (const { event } of responses as AsyncIterable<ExtractResponse>) {
    if (event?.$case === "rowBatch") {
      for (const row of event.value.users) {
        rows += Number(row.id !== null && row.id !== "");
      }
    }
  }
  stub.close();
  return rows;
}

async function clientRows(address: string, atLeastOnce = false): Promise<number> {
  let rows = 0;
  const client = new Client(address);
  for await (const { row } of client.extract({ tables: ["users"], atLeastOnce })) {
    rows += Number(row.id !== null && row.id !== "");
  }
  client.close();
  return rows;
}

async function clientBatches(address: string): Promise<number> {
  let rows = 0;
  const client = new Client(address);
  for await (const users of client.extract({ tables: ["users"] }).batches()) {
    for (const row of users.rows) {
      rows += Number(row.id !== null && row.id !== "");
    }
  }
  client.close();
  return rows;
}

const WAYS: Readonly<Record<string, (address: string) => Promise<number>>> = {
  "bare stub": bare,
  rows: clientRows,
  "rows, at least once": (address) => clientRows(address, true),
  batches: clientBatches,
};

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}

interface Sample {
  readonly rowsPerSecond: number;
  readonly cpuSecondsPerMillionRows: number;
}

async function sample(read: (address: string) => Promise<number>, address: string) {
  const start = performance.now();
  const before = process.cpuUsage();
  const rows = await read(address);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1e3;
  return { rowsPerSecond: rows / seconds, cpuSecondsPerMillionRows: (user + system) / rows };
}

/** Reads once for each message of its parent, and ends with it. */
function answer(way: string): void {
  process.on("message", (address: string) => {
    const read = WAYS[way];
    if (read === undefined) {
      throw new Error(`no way ${way}`);
    }
    void sample(read, address).then((taken) => process.send?.(taken));
  });
  process.once("disconnect", () => {
    process.exit();
  });
}

/** This program again, with other arguments. */
function start(...options: string[]): ChildProcess {
  return fork(fileURLToPath(import.meta.url), options);
}

interface Reader {
  readonly way: string;
  readonly samples: Sample[];
}

async function takeSamples(address: string, rounds: number, readers: readonly Reader[]) {
  // In processes of their own: what the compiler has learnt of one way would slow the others.
  const running = readers.map(({ way, samples }) => ({
    process: start("--way", way),
    samples,
  }));
  // In turn, so that a busy moment of the machine is everybody's. The first round, with which
  // the compiler is busy, does not count.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { process, samples } of running) {
      process.send(address);
      const [taken] = (await once(process, "message")) as [Sample];
      if (round > 0) {
        samples.push(taken);
      }
    }
  }
  for (const { process } of running) {
    process.disconnect();
  }
}

async function measure(address: string, rounds: number): Promise<object> {
  const readers = Object.keys(WAYS).map((way) => ({ way, samples: [] as Sample[] }));
  // Anew several times: how well the compiler does differs by a sixth from process to process.
  for (let set = 0; set < SETS; set += 1) {
    await takeSamples(address, rounds, readers);
  }
  const bareSamples = readers.find(({ way }) => way === "bare stub")?.samples ?? [];
  const results = readers.map(({ way, samples }) => {
    const ratios = samples.map(
      ({ rowsPerSecond }, round) => rowsPerSecond / (bareSamples[round]?.rowsPerSecond ?? NaN),
    );
    const figures = {
      rows_per_second: Math.round(median(samples.map((taken) => taken.rowsPerSecond))),
      cpu_seconds_per_million_rows: rounded(
        median(samples.map((taken) => taken.cpuSecondsPerMillionRows)),
        2,
      ),
      ratio: rounded(median(ratios), 3),
    };
    return [way, figures] as const;
  });
  return Object.fromEntries(results);
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "200000" },
    rounds: { type: "string", default: "4" },
    // What the program calls itself with.
    serve: { type: "boolean", default: false },
    way: { type: "string" },
  },
});
if (values.serve) {
  await serve(Number(values.rows));
} else if (values.way !== undefined) {
  answer(values.way);
} else {
  const server = start("--serve", "--rows", values.rows);
  const [port] = (await once(server, "message")) as [number];
  const figures = await measure(`127.0.0.1:${port}`, Number(values.rounds));
  console.log(JSON.stringify(figures, null, 1));
  server.disconnect();
}
