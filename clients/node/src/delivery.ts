/**
 * What of a stream is handed out, and when: no network, no clock.
 *
 * The rules are those of tests/clients/README.md, the same in every language.
 */

import { BrokenStreamError } from "./errors.js";
import type {
  Checkpoint,
  Summary,
  TableRestarted,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import type { Known, Message, ReceivedBatch } from "./received.js";

const LARGEST_TOKEN = 64 << 10;

/** What a stream has told up to some point. */
interface Position {
  readonly token: Buffer;
  readonly checkpoint: bigint;
  readonly generations: Map<string, number>;
}

type Counts = Map<string, number>;

/** Turns the events of one extraction, over all of its streams, into those handed out. */
export class Delivery {
  /** Whether the summary has come. */
  complete = false;

  // As of the last checkpoint.
  private covered: Position;
  // As of the last event.
  private generations = new Map<string, number>();
  // Undefined: events go out at once.
  private held: Known[] | undefined;
  // Of the present generations, since the last checkpoint.
  private rows: Counts = new Map();
  // Nobody tells a caller that continues an earlier extraction which generations it had.
  private readonly generationsKnown: boolean;

  constructor(
    private readonly atLeastOnce: boolean,
    resumeToken: Buffer,
  ) {
    this.covered = { token: resumeToken, checkpoint: 0n, generations: new Map() };
    this.generationsKnown = resumeToken.length === 0;
    this.begin();
  }

  /** A stream begins where the last checkpoint was; returns its token. */
  begin(): Buffer {
    this.generations = new Map(this.covered.generations);
    this.held = this.atLeastOnce ? undefined : [];
    this.rows.clear();
    return this.covered.token;
  }

  /** What is to be handed out now. Throws BrokenStreamError. */
  onMessage(event: Message): readonly Known[] {
    if (this.complete) {
      throw new BrokenStreamError("an event came after the summary");
    }
    switch (event.$case) {
      case "rowBatch":
        return this.onRows(event, event.value);
      case "checkpoint":
        return this.onCheckpoint(event, event.value);
      case "tableRestarted":
        return this.onRestart(event, event.value);
      case "livingRecords": {
        const { table, generation } = event.value;
        return this.accept(table, generation) ? this.hold(event) : [];
      }
      case "deletedRecords":
        return this.hold(event);
      case "progress":
      case "notice":
        return [event];
      case "summary":
        return this.onSummary(event);
      case "unknown":
        return [];
    }
  }

  /** The call has ended well. */
  onEnd(): void {
    if (!this.complete) {
      throw new BrokenStreamError("it ended without a summary");
    }
  }

  private hold(event: Known): readonly Known[] {
    if (this.held === undefined) {
      return [event];
    }
    this.held.push(event);
    return [];
  }

  /** Whether what is of generation `sent` is of the table's present one. */
  private accept(table: string, sent: number): boolean {
    // A server that does not count sends 0: its tables never begin anew.
    sent = Math.max(sent, 1);
    let generation = this.generations.get(table);
    if (generation === undefined) {
      // The first rows of an extraction that continues another say which it is.
      generation = this.generationsKnown ? 1 : sent;
      this.generations.set(table, generation);
    }
    if (sent > generation) {
      throw new BrokenStreamError(
        `rows of ${table} are of generation ${sent}, which was not announced`,
      );
    }
    return sent === generation;
  }

  private onRows(event: Known, batch: ReceivedBatch): readonly Known[] {
    const { table } = batch;
    if (!this.accept(table, batch.generation)) {
      return [];
    }
    add(this.rows, table, batch.rowCount);
    return this.hold(event);
  }

  private onRestart(event: Known, { table, generation }: TableRestarted): readonly Known[] {
    // Told twice, it must not void the rows that came in between.
    const first = this.generationsKnown ? 1 : 0;
    if (generation <= (this.generations.get(table) ?? first)) {
      return [];
    }
    this.generations.set(table, generation);
    this.rows.delete(table);
    // Held back at any rate: until a checkpoint covers it, a lost connection may lead back to
    // the generation before.
    this.held = (this.held ?? []).filter((held) => !isVoid(held, table));
    this.held.push(event);
    return [];
  }

  private onCheckpoint(event: Known, checkpoint: Checkpoint): readonly Known[] {
    const name = `checkpoint ${checkpoint.number}`;
    const { resumeToken: token } = checkpoint;
    if (checkpoint.number <= this.covered.checkpoint) {
      throw new BrokenStreamError(`${name} came after checkpoint ${this.covered.checkpoint}`);
    }
    if (token.length === 0 || token.length > LARGEST_TOKEN) {
      throw new BrokenStreamError(`${name} has a token of ${token.length} bytes`);
    }
    const counted: Counts = new Map();
    for (const { table, generation, rows } of checkpoint.rows) {
      if (!this.accept(table, generation)) {
        throw new BrokenStreamError(
          `${name} covers generation ${generation} of ${table}, which has come to ` +
            `${this.generations.get(table) ?? 1}`,
        );
      }
      add(counted, table, Number(rows));
    }
    if (!areEqual(counted, this.rows)) {
      throw new BrokenStreamError(
        `${name} covers ${text(counted)} rows, but ${text(this.rows)} came`,
      );
    }
    this.rows.clear();
    this.covered = {
      token,
      checkpoint: checkpoint.number,
      generations: new Map(this.generations),
    };
    const held = this.held ?? [];
    this.held = this.atLeastOnce ? undefined : [];
    held.push(event);
    return held;
  }

  private onSummary(event: Known & { value: Summary }): readonly Known[] {
    if ([...this.rows.values()].some((count) => count > 0)) {
      throw new BrokenStreamError(`no checkpoint covers the last ${text(this.rows)} rows`);
    }
    this.complete = true;
    return [...(this.held ?? []), event];
  }
}

/** Whether a restart of `table` makes it void. */
function isVoid(event: Known, table: string): boolean {
  switch (event.$case) {
    case "rowBatch":
    case "livingRecords":
    case "tableRestarted":
      return event.value.table === table;
    default:
      return false;
  }
}

function add(counts: Counts, table: string, rows: number): void {
  counts.set(table, (counts.get(table) ?? 0) + rows);
}

/** A table without rows counts as none. */
function areEqual(some: Counts, others: Counts): boolean {
  const tables = [...some.keys(), ...others.keys()];
  return tables.every((table) => (some.get(table) ?? 0) === (others.get(table) ?? 0));
}

function text(counts: Counts): string {
  const parts = [...counts].sort().map(([table, count]) => `${count} ${table}`);
  return parts.join(", ") || "no";
}
