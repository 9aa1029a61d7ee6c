/** Servers and clocks that do as they are told. */

import { received } from "./messages.js";
import type { Timing } from "../backoff.js";
import type { ResponseStream, StartCall } from "../calls.js";
import { CancelledError, UnavailableError } from "../errors.js";
import type {
  ExtractRequest,
  ExtractResponse,
} from "../generated/intercom/extractor/v1/extractor_service.js";

/** What a call gives, one after the other; "holds" waits until it is cancelled. */
export type Script = readonly (ExtractResponse | Error | "holds")[];

/** What gRPC says when a server has gone. */
export const LOST = new UnavailableError("connection dropped", { code: "UNAVAILABLE" });

/** Plays a script for each call. */
export class FakeCalls {
  readonly requests: ExtractRequest[] = [];
  readonly timeouts: (number | undefined)[] = [];
  /** Of calls that had not ended. */
  cancelled = 0;
  /** How many messages were taken. */
  taken = 0;

  constructor(private readonly scripts: readonly Script[]) {}

  readonly start: StartCall = (request, timeoutMs) => {
    const script = this.scripts[this.requests.length];
    if (script === undefined) {
      throw new Error("the script has no further call");
    }
    this.requests.push(request);
    this.timeouts.push(timeoutMs);
    return this.play(script);
  };

  private play(script: Script): ResponseStream {
    let index = 0;
    let hasEnded = false;
    let release = () => {
      hasEnded = true;
    };
    return {
      next: async () => {
        const step = hasEnded ? undefined : script[index];
        index += 1;
        if (step === "holds") {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          hasEnded = true;
          throw new CancelledError("cancelled on client");
        }
        if (step === undefined || step instanceof Error) {
          hasEnded = true;
          if (step !== undefined) {
            throw step;
          }
          return undefined;
        }
        this.taken += 1;
        return received(step);
      },
      cancel: () => {
        if (!hasEnded) {
          hasEnded = true;
          this.cancelled += 1;
          release();
        }
      },
    };
  }
}

/** Time passes as one sleeps, and chance is always the same. */
export class FakeTiming implements Timing {
  readonly slept: number[] = [];
  /** Until aborted. */
  sleepsForever = false;
  private ms = 0;

  now(): number {
    return this.ms;
  }

  random(): number {
    return 0.5;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.slept.push(ms);
    this.ms += ms;
    if (this.sleepsForever) {
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(new Error("aborted"));
        });
      });
    }
  }
}
