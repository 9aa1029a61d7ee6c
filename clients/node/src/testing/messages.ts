/** Events of a stream, as short as tests want them. */

import type {
  ExtractResponse,
  RowBatch,
} from "../generated/intercom/extractor/v1/extractor_service.js";
import {
  ExtractResponse as Response,
  RowBatch as Batch,
} from "../generated/intercom/extractor/v1/extractor_service.js";
import { receive, type Message } from "../received.js";
import type { Batch as BatchOfRows } from "../rows.js";
import { Tag } from "../generated/intercom/extractor/v1/tables.js";

type Event = NonNullable<ExtractResponse["event"]>;

function event(value: Event): ExtractResponse {
  return { event: value };
}

/** As it arrives. */
export function received(response: ExtractResponse): Message {
  return receive(Buffer.from(Response.encode(response).finish()));
}

/** The ids of the tags in a batch. */
export function rowIds(batchOfTags: BatchOfRows): (string | null)[] {
  if (batchOfTags.table !== "tags") {
    throw new Error(`rows of ${batchOfTags.table}`);
  }
  return batchOfTags.rows.map((row) => row.id);
}

/** An empty batch. */
export function batch(fields: Partial<RowBatch>): ExtractResponse {
  const value = { ...Batch.decode(new Uint8Array()), generation: 1, ...fields };
  return event({ $case: "rowBatch", value });
}

/** Rows of tags with these ids. */
export function tags(ids: readonly string[], generation = 1): ExtractResponse {
  const rows = ids.map((id) => ({ ...Tag.decode(new Uint8Array()), id }));
  return batch({ table: "tags", generation, tags: rows });
}

/** `rows`: of tags since the checkpoint before. */
export function checkpoint(
  number: number,
  rows = 0,
  { token = `token ${number}`, generation = 1 } = {},
): ExtractResponse {
  const counts = rows === 0 ? [] : [{ table: "tags", rows: BigInt(rows), generation }];
  const resumeToken = Buffer.from(token);
  return event({
    $case: "checkpoint",
    value: { number: BigInt(number), resumeToken, rows: counts },
  });
}

/** Tags begin anew. */
export function restarted(generation: number): ExtractResponse {
  return event({
    $case: "tableRestarted",
    value: { table: "tags", generation, reason: "scripted" },
  });
}

/** Nothing in it. */
export function progress(): ExtractResponse {
  const value = Response.decode(Buffer.from([0x12, 0])).event;
  if (value?.$case !== "progress") {
    throw new Error("field 2 is the progress");
  }
  return event(value);
}

/** Nothing in it. */
export function summary(): ExtractResponse {
  const value = Response.decode(Buffer.from([0x2a, 0])).event;
  if (value?.$case !== "summary") {
    throw new Error("field 5 is the summary");
  }
  return event(value);
}

/** What a newer server says. */
export const UNKNOWN: ExtractResponse = { event: undefined };
