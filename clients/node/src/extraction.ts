/** An extraction, read by one reader. */

import type { Timing } from "./backoff.js";
import type { ResponseStream, StartCall } from "./calls.js";
import { ExtractorError } from "./errors.js";
import type {
  Summary,
  TableDescription,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import type { Batch, TableName, TableRow } from "./rows.js";
import type { ExtractionEvent, Run } from "./run.js";

/**
 * The rows of an extraction, each with the name of its table.
 *
 * Iterate over it once, or over `batches()` or `events()` instead. Rows come once their
 * checkpoint has arrived, so that a connection that is lost and made again repeats none; with
 * `atLeastOnce` they come at once. Reading slowly slows the extraction; nothing is dropped.
 * Leaving the loop cancels: the server stops asking Intercom.
 */
export class Extraction<T extends TableName = TableName> implements AsyncIterable<
  TableRow<T>
> {
  private readonly stream: AsyncGenerator<ExtractionEvent, undefined>;
  private readonly calls: Calls;

  /** @internal */
  constructor(
    private readonly run: Run,
    startCall: StartCall,
    private readonly describe: () => Promise<TableDescription[]>,
    timing: Timing,
    signal: AbortSignal | undefined,
  ) {
    this.calls = new Calls(run, startCall, timing, signal);
    this.stream = this.calls.events();
  }

  /**
   * The token that covers all rows up to the last checkpoint among those handed out: the
   * `resumeToken` of an extraction that goes on from there. To store rows and token together,
   * read `events()` or give `onCheckpoint`.
   */
  get lastCheckpoint(): Buffer | undefined {
    return this.run.lastCheckpoint;
  }

  /** How it ended, table by table; undefined before the end. */
  get summary(): Summary | undefined {
    return this.run.summary;
  }

  /** How often the connection was lost and made again. */
  get reconnects(): number {
    return this.run.reconnects;
  }

  /** The tables that it reads, with their columns; asks the server. */
  tables(): Promise<TableDescription[]> {
    return this.describe();
  }

  /** Rows one by one. */
  [Symbol.asyncIterator](): AsyncIterableIterator<TableRow<T>> {
    return new RowIterator(this.batches());
  }

  /** Rows as the server sent them: of one table, up to 1 MiB. */
  async *batches(): AsyncGenerator<Batch<T>, undefined> {
    for await (const event of this.stream) {
      const batch = this.run.batchOf(event);
      if (batch !== undefined) {
        yield batch as Batch<T>;
      }
    }
    return undefined;
  }

  /**
   * Everything: rows, checkpoints, restarts, progress, notices, deletions, the summary. Every
   * event before a checkpoint is covered by its token.
   */
  events(): AsyncGenerator<ExtractionEvent<T>, undefined> {
    return this.stream as AsyncGenerator<ExtractionEvent<T>, undefined>;
  }

  /** Cancels what has not ended: the server stops asking Intercom. Iteration ends. */
  close(): void {
    this.calls.stop({});
  }

  /** @internal Ends with an error, where it has not ended. */
  abort(error: Error): void {
    this.calls.stop({ error });
  }
}

/** Why no more events come: with an error, or just so. */
interface Stop {
  readonly error?: unknown;
}

/** The calls of an extraction, one after the other. */
class Calls {
  private call: ResponseStream | undefined;
  private stopped: Stop | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly run: Run,
    private readonly startCall: StartCall,
    private readonly timing: Timing,
    private readonly signal: AbortSignal | undefined,
  ) {}

  stop(stop: Stop): void {
    this.stopped ??= stop;
    this.call?.cancel();
    this.stopping.abort();
  }

  async *events(): AsyncGenerator<ExtractionEvent, undefined> {
    const { run, signal } = this;
    const onAbort = () => {
      this.stop({ error: signal?.reason });
    };
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) {
      onAbort();
    }
    try {
      while (this.goesOn()) {
        const call = this.startCall(run.begin(), run.remainingMs());
        this.call = call;
        for (;;) {
          const received = await next(call);
          if (!this.goesOn()) {
            return undefined;
          }
          if (received === undefined) {
            run.onEnd();
            return undefined;
          }
          if (received instanceof ExtractorError) {
            await this.wait(await run.onError(received));
            break;
          }
          for (const message of run.onMessage(received)) {
            yield await run.handOut(message);
            if (!this.goesOn()) {
              return undefined;
            }
          }
        }
      }
      return undefined;
    } finally {
      // Also where the caller takes no more, or the stream is broken.
      this.call?.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Throws where it was stopped with an error. */
  private goesOn(): boolean {
    if (this.stopped !== undefined && "error" in this.stopped) {
      throw this.stopped.error;
    }
    return this.stopped === undefined;
  }

  private async wait(ms: number): Promise<void> {
    try {
      await this.timing.sleep(ms, this.stopping.signal);
    } catch (error) {
      if (this.stopped === undefined) {
        throw error;
      }
    }
  }
}

/** The next message, the error of the call, or undefined at its good end. */
async function next(call: ResponseStream) {
  try {
    return await call.next();
  } catch (error) {
    if (error instanceof ExtractorError) {
      return error;
    }
    throw error;
  }
}

/** Not a generator: most rows need no more than one promise. */
class RowIterator<T extends TableName> implements AsyncIterableIterator<TableRow<T>> {
  private batch: Batch<T> | undefined;
  private index = 0;
  // Callers may ask for several rows before they have the first.
  private refilling: Promise<unknown> | undefined;

  constructor(private readonly batches: AsyncGenerator<Batch<T>, undefined>) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<TableRow<T>, undefined>> {
    if (this.refilling === undefined && this.batch !== undefined) {
      const row = this.batch.rows[this.index];
      if (row !== undefined) {
        this.index += 1;
        const value = { table: this.batch.table, row } as TableRow<T>;
        return Promise.resolve({ done: false, value });
      }
    }
    return this.refill();
  }

  async return(): Promise<IteratorResult<TableRow<T>, undefined>> {
    this.batch = undefined;
    await this.batches.return(undefined);
    return { done: true, value: undefined };
  }

  private async refill(): Promise<IteratorResult<TableRow<T>, undefined>> {
    if (this.refilling !== undefined) {
      await this.refilling;
      return this.next();
    }
    // While the next rows are decoded those before are garbage.
    this.batch = undefined;
    const refilling = this.batches.next();
    this.refilling = refilling;
    try {
      const { done, value } = await refilling;
      this.batch = value;
      this.index = 0;
      if (done) {
        return { done, value: undefined };
      }
    } finally {
      this.refilling = undefined;
    }
    return this.next();
  }
}
