/** Calls of the service as promises. */

import type {
  CallOptions,
  Client,
  ClientReadableStream,
  Metadata,
  ServiceError,
} from "@grpc/grpc-js";
import { fromServiceError } from "./errors.js";
import {
  ExtractorServiceService,
  type ExtractRequest,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import { receive, type Message } from "./received.js";

/** When a call ends without an answer. */
export interface CallLimits {
  /** Milliseconds; then it is a `DeadlineExceededError`. */
  readonly timeoutMs?: number | undefined;
  /** Cancels; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of grpc-js that a call may take so long. */
export function deadlineOf(timeoutMs: number | undefined): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

/** A method of the stub that gives one answer. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, response: Response) => void,
) => { cancel(): void };

/** Calls a method. Rejects with an `ExtractorError`, or with the signal's reason. */
export function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  metadata: Metadata,
  { timeoutMs, signal }: CallLimits,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const call = method(request, metadata, deadlineOf(timeoutMs), (error, response) => {
      signal?.removeEventListener("abort", cancel);
      if (error === null) {
        resolve(response);
      } else if (signal?.aborted) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's
        reject(signal.reason);
      } else {
        reject(fromServiceError(error));
      }
    });
    const cancel = () => {
      call.cancel();
    };
    signal?.addEventListener("abort", cancel);
  });
}

/** One call of `Extract`, to be read by one reader. */
export interface ResponseStream {
  /** The next message; undefined at a good end. Rejects with an `ExtractorError`. */
  next(): Promise<Message | undefined>;
  /** Ends the call where it has not ended; also `next()` ends. */
  cancel(): void;
}

/** Starts a call of `Extract`. */
export type StartCall = (
  request: ExtractRequest,
  timeoutMs: number | undefined,
) => ResponseStream;

/** Calls a server. */
export function startExtract(
  stub: Client,
  metadata: Metadata,
  request: ExtractRequest,
  timeoutMs: number | undefined,
): ResponseStream {
  const { path, requestSerialize } = ExtractorServiceService.extract;
  const options = deadlineOf(timeoutMs);
  return new GrpcStream(
    stub.makeServerStreamRequest(path, requestSerialize, receive, request, metadata, options),
  );
}

class GrpcStream implements ResponseStream {
  private readonly messages: AsyncIterator<Message, undefined>;

  constructor(private readonly call: ClientReadableStream<Message>) {
    // Also when nobody reads any more.
    call.on("error", () => undefined);
    this.messages = call[Symbol.asyncIterator]() as AsyncIterator<Message, undefined>;
  }

  async next(): Promise<Message | undefined> {
    try {
      return (await this.messages.next()).value;
    } catch (error) {
      throw isServiceError(error) ? fromServiceError(error) : error;
    }
  }

  cancel(): void {
    this.call.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}
