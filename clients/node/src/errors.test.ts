import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import * as errors from "./errors.js";
import { ErrorInfo, RetryInfo, Status } from "./generated/error_details.js";

function serviceError(
  code: status,
  {
    reason = "",
    seconds = 0n,
    nanos = 0,
  }: { reason?: string; seconds?: bigint; nanos?: number } = {},
): ServiceError {
  const metadata = new Metadata();
  const details = [];
  if (reason !== "") {
    const info = { reason, domain: "intercom-extractor", metadata: { connection: "default" } };
    const value = Buffer.from(ErrorInfo.encode(info).finish());
    details.push({ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value });
  }
  if (seconds > 0n || nanos > 0) {
    const value = Buffer.from(RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish());
    details.push({ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value });
  }
  details.push({ typeUrl: "type.googleapis.com/google.rpc.Other", value: Buffer.from("?") });
  const bytes = Status.encode({ code, message: "said", details }).finish();
  metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  return Object.assign(new Error("14 UNAVAILABLE: said"), { code, details: "said", metadata });
}

const CLASSES = {
  INVALID_ARGUMENT: errors.InvalidRequestError,
  NOT_FOUND: errors.ConnectionUnknownError,
  UNAUTHENTICATED: errors.UnauthenticatedError,
  PERMISSION_DENIED: errors.PermissionDeniedError,
  RESOURCE_EXHAUSTED: errors.ResourceExhaustedError,
  UNAVAILABLE: errors.UnavailableError,
  DEADLINE_EXCEEDED: errors.DeadlineExceededError,
  CANCELLED: errors.CancelledError,
  INTERNAL: errors.ExtractorError,
} as const;

for (const [code, type] of Object.entries(CLASSES)) {
  test(`${code} is a ${type.name}`, () => {
    const error = errors.fromServiceError(serviceError(status[code as keyof typeof CLASSES]));
    assert.equal(error.constructor, type);
    assert.equal(error.name, type.name);
    assert.equal(error.code, code);
    assert.equal(error.message, "said");
  });
}

test("reason, metadata and delay are those of the details", () => {
  const error = errors.fromServiceError(
    serviceError(status.RESOURCE_EXHAUSTED, {
      reason: "RATE_LIMITED",
      seconds: 1n,
      nanos: 500_000_000,
    }),
  );
  assert.equal(error.reason, "RATE_LIMITED");
  assert.deepEqual(error.metadata, { connection: "default" });
  assert.equal(error.retryDelayMs, 1500);
});

test("what gRPC itself says has no reason and no delay", () => {
  const plain = Object.assign(new Error("14 UNAVAILABLE: gone"), {
    code: status.UNAVAILABLE,
    details: "gone",
    metadata: new Metadata(),
  });
  const error = errors.fromServiceError(plain);
  assert.equal(error.reason, "");
  assert.deepEqual(error.metadata, {});
  assert.equal(error.retryDelayMs, undefined);
});

test("only a refused resume token is a ResumeTokenError", () => {
  const expired = serviceError(status.FAILED_PRECONDITION, { reason: "RESUME_TOKEN_EXPIRED" });
  assert.ok(errors.fromServiceError(expired) instanceof errors.ResumeTokenError);
  const other = serviceError(status.FAILED_PRECONDITION, { reason: "INTERCOM_UNREACHABLE" });
  assert.ok(!(errors.fromServiceError(other) instanceof errors.ResumeTokenError));
});

test("what another call can make up for", () => {
  const isLost = (code: status, reason = "") =>
    errors.isLostConnection(errors.fromServiceError(serviceError(code, { reason })));
  assert.ok(isLost(status.UNAVAILABLE));
  assert.ok(isLost(status.CANCELLED));
  assert.ok(isLost(status.UNAVAILABLE, "SERVER_STOPPING"));
  assert.ok(isLost(status.UNAVAILABLE, "CONNECTION_AGE"));
  assert.ok(!isLost(status.UNAVAILABLE, "INTERCOM_UNREACHABLE"));
  assert.ok(!isLost(status.INTERNAL));
  assert.ok(!isLost(status.RESOURCE_EXHAUSTED));
});
