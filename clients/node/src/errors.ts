/** What can go wrong, as errors that say what the server said. */

import { status, type ServiceError } from "@grpc/grpc-js";
import { ErrorInfo, RetryInfo, Status, type PackedDetail } from "./generated/error_details.js";

/** The name of a gRPC status, such as "UNAVAILABLE". */
export type StatusCode = keyof typeof status;

/** What an error carries besides its message. */
export interface ErrorDetails {
  readonly code: StatusCode;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryDelayMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * A call failed. Each code has a class of its own where callers tell them apart.
 *
 * The message names operations and ids, never a token or customer content.
 */
export class ExtractorError extends Error {
  override readonly name: string = "ExtractorError";
  /** The status that the call ended with. */
  readonly code: StatusCode;
  /** One of docs/errors.md, or empty: then gRPC itself says it, of the connection. */
  readonly reason: string;
  /** What the reason is about, such as the connection's name. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Set where the server says that waiting helps. */
  readonly retryDelayMs: number | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.reason = details.reason ?? "";
    this.metadata = details.metadata ?? {};
    this.retryDelayMs = details.retryDelayMs;
  }
}

/** Correct the request: it names no table, or one that does not exist. */
export class InvalidRequestError extends ExtractorError {
  override readonly name = "InvalidRequestError";
}

/** The server has no connection of that name. */
export class ConnectionUnknownError extends ExtractorError {
  override readonly name = "ConnectionUnknownError";
}

/** Intercom refuses the connection's access token, or the server this caller. */
export class UnauthenticatedError extends ExtractorError {
  override readonly name = "UnauthenticatedError";
}

/** The access token lacks a scope, or the workspace's plan does not include it. */
export class PermissionDeniedError extends ExtractorError {
  override readonly name = "PermissionDeniedError";
}

/** No quota, or no room; with `retryDelayMs` where waiting helps. */
export class ResourceExhaustedError extends ExtractorError {
  override readonly name = "ResourceExhaustedError";
}

/** The resume token cannot be used, and never will be: extract anew without it. */
export class ResumeTokenError extends ExtractorError {
  override readonly name = "ResumeTokenError";
}

/** The server, or Intercom behind it, could not be reached. */
export class UnavailableError extends ExtractorError {
  override readonly name = "UnavailableError";
}

/** The time that the caller gave is over. */
export class DeadlineExceededError extends ExtractorError {
  override readonly name = "DeadlineExceededError";

  constructor(message: string, details: Omit<ErrorDetails, "code"> = {}) {
    super(message, { ...details, code: "DEADLINE_EXCEEDED" });
  }
}

/** The call was cancelled, by the server or as its client was closed. */
export class CancelledError extends ExtractorError {
  override readonly name = "CancelledError";

  constructor(message: string, details: Omit<ErrorDetails, "code"> = {}) {
    super(message, { ...details, code: "CANCELLED" });
  }
}

/** The server broke the promises of its stream: rows may be missing. Report it. */
export class BrokenStreamError extends ExtractorError {
  override readonly name = "BrokenStreamError";

  constructor(message: string) {
    super(`the server's stream is broken: ${message}`, { code: "DATA_LOSS" });
  }
}

/**
 * A table begins anew after rows of it were handed out, and nobody listens for that.
 *
 * The rows of `table` so far are void. Pass `onTableRestarted` to be told instead, or read
 * `events()`.
 */
export class TableRestartedError extends Error {
  override readonly name = "TableRestartedError";

  constructor(
    readonly table: string,
    readonly generation: number,
    reason: string,
  ) {
    super(
      `${table} begins anew (${reason}): the rows of it so far are void. Pass ` +
        "onTableRestarted to drop them and go on",
    );
  }
}

type ErrorClass = new (message: string, details: ErrorDetails) => ExtractorError;

const CLASSES = new Map<StatusCode, ErrorClass>([
  ["INVALID_ARGUMENT", InvalidRequestError],
  ["NOT_FOUND", ConnectionUnknownError],
  ["UNAUTHENTICATED", UnauthenticatedError],
  ["PERMISSION_DENIED", PermissionDeniedError],
  ["RESOURCE_EXHAUSTED", ResourceExhaustedError],
  ["UNAVAILABLE", UnavailableError],
  ["DEADLINE_EXCEEDED", DeadlineExceededError],
  ["CANCELLED", CancelledError],
]);

/** The error of a call as callers see it. */
export function fromServiceError(error: ServiceError): ExtractorError {
  const code = (error.code in status ? status[error.code] : "UNKNOWN") as StatusCode;
  let info: ErrorInfo = { reason: "", domain: "", metadata: {} };
  let retryDelayMs: number | undefined;
  for (const detail of detailsOf(error)) {
    if (detail.typeUrl.endsWith("/google.rpc.ErrorInfo")) {
      info = ErrorInfo.decode(detail.value);
    } else if (detail.typeUrl.endsWith("/google.rpc.RetryInfo")) {
      const { seconds = 0n, nanos = 0 } = RetryInfo.decode(detail.value).retryDelay ?? {};
      retryDelayMs = Number(seconds) * 1e3 + nanos / 1e6;
    }
  }
  const isToken = code === "FAILED_PRECONDITION" && info.reason.startsWith("RESUME_TOKEN_");
  const type = isToken ? ResumeTokenError : (CLASSES.get(code) ?? ExtractorError);
  return new type(error.details || error.message, {
    code,
    reason: info.reason,
    metadata: info.metadata,
    retryDelayMs,
    cause: error,
  });
}

function detailsOf(error: ServiceError): readonly PackedDetail[] {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  return Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
}

// Reasons with which a server ends a stream that another call continues.
const GOES_ON = ["", "SERVER_STOPPING", "CONNECTION_AGE"];

/**
 * Whether another call can make up for it.
 *
 * What a server says of Intercom has a reason; what gRPC says of the connection has none.
 * CANCELLED, which nobody here asked for, is a server's last answer as it stops.
 */
export function isLostConnection(error: ExtractorError): boolean {
  const isLost = error.code === "UNAVAILABLE" || error.code === "CANCELLED";
  return isLost && GOES_ON.includes(error.reason);
}
