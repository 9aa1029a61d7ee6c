/** The acceptance suite's driver: tests/clients/README.md says what it must do. */

import { createWriteStream, type WriteStream } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Client,
  ExtractorError,
  toJson,
  type Extraction,
  type Row,
  type TableName,
  type TemplateName,
  type TlsOptions,
} from "intercom-extractor";
import {
  CheckConnectionResponse,
  ExtractResponse,
  NoticeCode,
  PlanExtractionResponse,
  Summary,
  TableDescription,
} from "intercom-extractor/v1";

interface Scenario {
  action: "tables" | "check" | "plan" | "extract" | "decode";
  result: string;
  target: string;
  tls: { ca: string | null; cert: string | null; key: string | null } | null;
  token: string | null;
  connection: string | null;
  request: {
    template: TemplateName | null;
    tables: TableName[];
    updated_since: number | null;
    find_deleted: boolean;
    resume_token: string | null;
  };
  delivery: "default" | "at_least_once";
  output: string;
  deadline_seconds: number | null;
  stop_after_rows: number | null;
  stop_after_checkpoints: number | null;
  pause: { after_rows: number; seconds: number } | null;
  files: { message: "ExtractResponse"; bytes: string; json: string }[];
}

type Value = string | number | bigint | boolean | null;

function cell(value: Value): string {
  if (value === null) {
    return "";
  }
  if (typeof value !== "string") {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  return value === "" || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** One table's file; begins anew as the table does. */
class CsvFile {
  private file!: WriteStream;

  constructor(
    private readonly path: string,
    private readonly columns: readonly string[],
  ) {
    this.begin();
  }

  async restart(): Promise<void> {
    await this.close();
    this.begin();
  }

  async write(row: Row): Promise<void> {
    const values = row as unknown as Record<string, Value>;
    const line = this.columns.map((column) => cell(values[column] ?? null)).join(",");
    if (!this.file.write(`${line}\n`)) {
      await once(this.file, "drain");
    }
  }

  async close(): Promise<void> {
    this.file.end();
    await once(this.file, "finish");
  }

  private begin(): void {
    this.file = createWriteStream(this.path);
    this.file.write(`${this.columns.join(",")}\n`);
  }
}

class Driver {
  private readonly rows: Record<string, number> = {};
  private handedOut = 0;
  private checkpoints = 0;
  private progress = 0;
  private readonly notices: { code: string; table: string }[] = [];
  private readonly restarts: { table: string; generation: number }[] = [];
  private readonly files = new Map<string, CsvFile>();
  private stopped = false;

  constructor(private readonly scenario: Scenario) {}

  async run(): Promise<void> {
    const { scenario } = this;
    if (scenario.action === "decode") {
      for (const { bytes, json } of scenario.files) {
        const message = ExtractResponse.decode(await readFile(bytes));
        await writeFile(json, JSON.stringify(toJson(ExtractResponse, message)));
      }
      await this.write({ error: null });
      return;
    }
    const client = new Client(scenario.target, {
      connection: scenario.connection ?? undefined,
      tls: scenario.tls === null ? undefined : await certificates(scenario.tls),
      token: scenario.token ?? undefined,
    });
    try {
      if (scenario.action !== "extract") {
        await this.write(await this.ask(client, scenario.action));
        return;
      }
      await this.extract(client);
      if (this.stopped) {
        this.say("stopped");
        process.stdin.resume();
        await once(process.stdin, "end");
      }
    } finally {
      client.close();
    }
  }

  private async ask(client: Client, action: "tables" | "check" | "plan"): Promise<object> {
    try {
      return { response: await this.response(client, action), error: null };
    } catch (error) {
      return { response: null, error: describe(error) };
    }
  }

  private async response(client: Client, action: "tables" | "check" | "plan") {
    switch (action) {
      case "tables": {
        const tables = await client.tables();
        return { tables: tables.map((table) => toJson(TableDescription, table)) };
      }
      case "check":
        return toJson(CheckConnectionResponse, await client.check());
      case "plan":
        return toJson(PlanExtractionResponse, await client.plan(this.selection()));
    }
  }

  private selection() {
    const { template, tables, updated_since, find_deleted } = this.scenario.request;
    return {
      template: template ?? undefined,
      tables,
      updatedSince: updated_since ?? undefined,
      findDeleted: find_deleted,
    };
  }

  private async extract(client: Client): Promise<void> {
    const { scenario } = this;
    const extraction = client.extract({
      ...this.selection(),
      resumeToken: Buffer.from(scenario.request.resume_token ?? "", "base64"),
      atLeastOnce: scenario.delivery === "at_least_once",
      timeoutMs:
        scenario.deadline_seconds === null ? undefined : scenario.deadline_seconds * 1000,
      onProgress: () => {
        this.progress += 1;
      },
      onNotice: ({ code, table }) => {
        this.notices.push({ code: NoticeCode[code], table });
      },
      onCheckpoint: () => {
        this.checkpoints += 1;
        this.say("checkpoint");
      },
      onTableRestarted: async ({ table, generation }) => {
        await this.files.get(table)?.restart();
        this.restarts.push({ table, generation });
      },
    });
    let error: object | null = null;
    try {
      if (scenario.stop_after_rows === 0) {
        await extraction.events().next();
        this.stopped = true;
      } else {
        await this.read(extraction);
      }
    } catch (caught) {
      error = describe(caught);
    }
    extraction.close();
    await Promise.all([...this.files.values()].map((file) => file.close()));
    const { summary } = extraction;
    await this.write({
      response: null,
      rows: this.rows,
      checkpoints: this.checkpoints,
      resume_token: extraction.lastCheckpoint?.toString("base64") ?? null,
      reconnects: extraction.reconnects,
      restarts: this.restarts,
      notices: this.notices,
      progress: this.progress,
      summary: summary === undefined ? null : toJson(Summary, summary),
      error,
    });
  }

  private async read(extraction: Extraction): Promise<void> {
    const { output, pause, stop_after_rows } = this.scenario;
    for (const { table, columns } of await extraction.tables()) {
      const name = table?.name ?? "";
      const names = columns.map((column) => column.name);
      this.files.set(name, new CsvFile(join(output, `${name}.csv`), names));
    }
    for await (const { table, row } of extraction) {
      // The checkpoint may have been consumed when this row was asked for.
      if (this.enoughCheckpoints()) {
        break;
      }
      await this.files.get(table)?.write(row);
      this.rows[table] = (this.rows[table] ?? 0) + 1;
      this.handedOut += 1;
      if (this.handedOut === 1) {
        this.say("row");
      }
      if (this.handedOut === stop_after_rows) {
        this.stopped = true;
        break;
      }
      if (this.handedOut === pause?.after_rows) {
        this.say("paused");
        await sleep(pause.seconds * 1000);
        this.say("resumed");
      }
    }
    this.stopped ||= this.enoughCheckpoints();
  }

  private enoughCheckpoints(): boolean {
    return this.checkpoints === this.scenario.stop_after_checkpoints;
  }

  private say(event: string): void {
    console.log(JSON.stringify({ event, rows: this.handedOut }));
  }

  private async write(result: object): Promise<void> {
    const unfinished = `${this.scenario.result}.unfinished`;
    await writeFile(unfinished, JSON.stringify(result));
    await rename(unfinished, this.scenario.result);
  }
}

async function certificates(files: NonNullable<Scenario["tls"]>): Promise<TlsOptions> {
  const given = Object.entries(files).filter(([, file]) => file !== null) as [
    string,
    string,
  ][];
  const read = given.map(async ([name, file]) => [name, await readFile(file)] as const);
  return Object.fromEntries(await Promise.all(read));
}

function describe(error: unknown): object {
  if (!(error instanceof ExtractorError)) {
    throw error;
  }
  return {
    type: error.name,
    code: error.code,
    reason: error.reason,
    metadata: error.metadata,
    retry_delay_seconds: error.retryDelayMs === undefined ? null : error.retryDelayMs / 1000,
    message: error.message,
  };
}

await new Driver(JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as Scenario).run();
