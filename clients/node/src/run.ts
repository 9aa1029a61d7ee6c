/** The decisions of one extraction, apart from its calls. */

import { Backoff, type Timing } from "./backoff.js";
import { Delivery } from "./delivery.js";
import {
  DeadlineExceededError,
  isLostConnection,
  TableRestartedError,
  type ExtractorError,
} from "./errors.js";
import type {
  Checkpoint,
  DeletedRecords,
  ExtractRequest,
  LivingRecords,
  Notice,
  Progress,
  Summary,
  TableRestarted,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import type { Known, Message } from "./received.js";
import type { Batch, TableName } from "./rows.js";

type Told = void | Promise<void>;

/** Who is told of what while an extraction is read; it goes on when what they return resolves. */
export interface Listeners {
  /** How far it is, at least every 10 seconds. */
  readonly onProgress?: ((progress: Progress) => Told) | undefined;
  /** Something that a person should know. */
  readonly onNotice?: ((notice: Notice) => Told) | undefined;
  /**
   * All rows before a checkpoint have been handed out and the next one is asked for: who stores
   * rows and `checkpoint.resumeToken` together has each row once.
   */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Told) | undefined;
  /**
   * The rows of a table so far are void and it begins anew. Without it that is a
   * `TableRestartedError` where such rows were handed out.
   */
  readonly onTableRestarted?: ((restarted: TableRestarted) => Told) | undefined;
  /** A connection was lost and will be made again after so many milliseconds. */
  readonly onReconnect?: ((error: ExtractorError, delayMs: number) => Told) | undefined;
}

/** What an extraction hands out; `kind` tells the type. */
export type ExtractionEvent<T extends TableName = TableName> =
  | { readonly kind: "rows"; readonly batch: Batch<T> }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  | { readonly kind: "tableRestarted"; readonly restarted: TableRestarted }
  | { readonly kind: "deletedRecords"; readonly deleted: DeletedRecords }
  | { readonly kind: "livingRecords"; readonly living: LivingRecords }
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "summary"; readonly summary: Summary };

/** How an extraction is read. */
export interface RunOptions extends Listeners {
  /** Rows come at once, and again after a lost connection, instead of with their checkpoint. */
  readonly atLeastOnce?: boolean | undefined;
  /** For all of it from the first read, lost connections included. */
  readonly timeoutMs?: number | undefined;
  /** Goes on where an earlier extraction of the same request had its `lastCheckpoint`. */
  readonly resumeToken?: Uint8Array | undefined;
}

/** When a lost connection is made again, what is handed out, who is told. */
export class Run {
  lastCheckpoint: Buffer | undefined;
  summary: Summary | undefined;
  reconnects = 0;

  private readonly delivery: Delivery;
  private readonly backoff: Backoff;
  private deadline: number | undefined;
  // An address that was never right is said at once.
  private hasBegun = false;
  // Tables of which rows were handed out.
  private readonly begun = new Set<string>();
  // Who continues an earlier extraction may have rows of any table.
  private readonly resumed: boolean;

  constructor(
    private readonly request: ExtractRequest,
    private readonly options: RunOptions,
    private readonly timing: Timing,
  ) {
    const token = Buffer.from(options.resumeToken ?? []);
    this.resumed = token.length > 0;
    this.lastCheckpoint = this.resumed ? token : undefined;
    this.delivery = new Delivery(options.atLeastOnce ?? false, token);
    this.backoff = new Backoff(() => timing.random());
  }

  /** The request of the next call. */
  begin(): ExtractRequest {
    const { timeoutMs } = this.options;
    if (timeoutMs !== undefined) {
      this.deadline ??= this.timing.now() + timeoutMs;
    }
    return { ...this.request, resumeToken: this.delivery.begin() };
  }

  /** How long the next call may take. */
  remainingMs(): number | undefined {
    return this.deadline === undefined
      ? undefined
      : Math.max(0, this.deadline - this.timing.now());
  }

  onMessage(message: Message): readonly Known[] {
    this.hasBegun = true;
    return this.delivery.onMessage(message);
  }

  onEnd(): void {
    this.delivery.onEnd();
  }

  /** Milliseconds to wait before the next call; throws the error where there is none. */
  async onError(error: ExtractorError): Promise<number> {
    if (this.delivery.complete || !this.hasBegun || !isLostConnection(error)) {
      throw error;
    }
    const delay = this.backoff.next();
    if (delay === undefined) {
      throw error;
    }
    const remaining = this.remainingMs();
    if (remaining !== undefined && remaining <= delay) {
      throw new DeadlineExceededError(
        `no time left to make the lost connection again (${error.message})`,
        { cause: error },
      );
    }
    this.reconnects += 1;
    await this.options.onReconnect?.(error, delay);
    return delay;
  }

  /** What is handed out of a message, once those that listen have been told. */
  async handOut(message: Known): Promise<ExtractionEvent> {
    const { options } = this;
    switch (message.$case) {
      case "rowBatch":
        return { kind: "rows", batch: message.value.decode() };
      case "checkpoint":
        this.backoff.onProgress();
        this.lastCheckpoint = message.value.resumeToken;
        await options.onCheckpoint?.(message.value);
        return { kind: "checkpoint", checkpoint: message.value };
      case "progress":
        await options.onProgress?.(message.value);
        return { kind: "progress", progress: message.value };
      case "notice":
        await options.onNotice?.(message.value);
        return { kind: "notice", notice: message.value };
      case "tableRestarted":
        await options.onTableRestarted?.(message.value);
        return { kind: "tableRestarted", restarted: message.value };
      case "deletedRecords":
        return { kind: "deletedRecords", deleted: message.value };
      case "livingRecords":
        return { kind: "livingRecords", living: message.value };
      case "summary":
        this.summary = message.value;
        return { kind: "summary", summary: message.value };
    }
  }

  /** The rows of an event, for those who see nothing else. */
  batchOf(event: ExtractionEvent): Batch | undefined {
    if (event.kind === "rows") {
      this.begun.add(event.batch.table);
      return event.batch;
    }
    if (event.kind === "tableRestarted") {
      const { table, generation, reason } = event.restarted;
      const isVoid = this.resumed || this.begun.has(table);
      if (isVoid && this.options.onTableRestarted === undefined) {
        throw new TableRestartedError(table, generation, reason);
      }
    }
    return undefined;
  }
}
