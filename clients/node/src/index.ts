/**
 * Reads whole Intercom workspaces from an Intercom extractor server.
 *
 *     import { Client } from "intercom-extractor";
 *
 *     const client = new Client("localhost:50051");
 *     for await (const { table, row } of client.extract({ tables: ["users", "companies"] })) {
 *       console.log(table, row.id);
 *     }
 *     client.close();
 */

export type { Timing } from "./backoff.js";
export type { CallLimits } from "./calls.js";
export type { TlsOptions } from "./channel.js";
export { Client, type ClientOptions, type ExtractOptions } from "./client.js";
export {
  BrokenStreamError,
  CancelledError,
  ConnectionUnknownError,
  DeadlineExceededError,
  ExtractorError,
  InvalidRequestError,
  PermissionDeniedError,
  ResourceExhaustedError,
  ResumeTokenError,
  TableRestartedError,
  UnauthenticatedError,
  UnavailableError,
  type ErrorDetails,
  type StatusCode,
} from "./errors.js";
export type { Extraction } from "./extraction.js";
export { rowToJson, toJson, type Json, type MessageType } from "./json.js";
export type { Selection, TemplateName } from "./request.js";
export type { Batch, BatchOf, Row, TableName, TableRow, Tables } from "./rows.js";
export type { ExtractionEvent, Listeners, RunOptions } from "./run.js";
export { toDate, toMs } from "./time.js";
