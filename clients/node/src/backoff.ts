/** How long to wait before a lost connection is made again. */

import { setTimeout as sleep } from "node:timers/promises";

const MOST_TRIES = 5;
const FIRST_MS = 1000;

/** Where time and chance come from; tests bring their own. */
export interface Timing {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Resolves after so many milliseconds; rejects once the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own. */
export const systemTiming: Timing = {
  now: () => performance.now(),
  random: Math.random,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/**
 * 1, 2, 4, 8 and 16 s, less up to half of it, so that many clients of a server that comes back
 * do not come at once.
 */
export class Backoff {
  private tries = 0;

  constructor(private readonly random: () => number) {}

  /** Milliseconds before the next try; undefined once all have failed in a row. */
  next(): number | undefined {
    if (this.tries === MOST_TRIES) {
      return undefined;
    }
    const full = FIRST_MS * 2 ** this.tries;
    this.tries += 1;
    return full * (1 - this.random() / 2);
  }

  onProgress(): void {
    this.tries = 0;
  }
}
