/** The tables, the types of their rows, and batches of rows. */

import type * as tables from "./generated/intercom/extractor/v1/tables.js";
import type {
  ParentRows,
  RowBatch,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import { toDate } from "./time.js";

/** A row as it comes from a server: every column is there, null where it has no value. */
type Columns<Message> = { -readonly [K in keyof Message]-?: Exclude<Message[K], undefined> };

/**
 * The row of each table; the keys of a row are the names of its columns.
 *
 * 64-bit integers (times in Unix seconds, counts, sizes) are `bigint`: they are numbers to count
 * and sort with, and no value is ever rounded, as it is what Arrow, DuckDB and SQLite give and
 * take for such columns, too. `new Date(Number(row.created_at) * 1000)` makes a time of one. As
 * `JSON.stringify` refuses them, write rows with `rowToJson`, which has them as strings.
 */
export interface Tables {
  users: Columns<tables.User>;
  users_tags: Columns<tables.UserTag>;
  users_segments: Columns<tables.UserSegment>;
  users_companies: Columns<tables.UserCompany>;
  users_social_profiles: Columns<tables.UserSocialProfile>;
  notes: Columns<tables.Note>;
  events_summary: Columns<tables.EventSummary>;
  leads: Columns<tables.Lead>;
  leads_tags: Columns<tables.LeadTag>;
  leads_segments: Columns<tables.LeadSegment>;
  leads_companies: Columns<tables.LeadCompany>;
  leads_social_profiles: Columns<tables.LeadSocialProfile>;
  companies: Columns<tables.Company>;
  admins: Columns<tables.Admin>;
  tags: Columns<tables.Tag>;
  segments: Columns<tables.Segment>;
  conversations: Columns<tables.Conversation>;
  conversations_attachments: Columns<tables.ConversationAttachment>;
  conversations_customers: Columns<tables.ConversationCustomer>;
  conversations_tags: Columns<tables.ConversationTag>;
  conversation_parts: Columns<tables.ConversationPart>;
  conversation_parts_attachments: Columns<tables.ConversationPartAttachment>;
}

/** The name of a table. */
export type TableName = keyof Tables;

/** A row of any of the tables `T`. */
export type Row<T extends TableName = TableName> = Tables[T];

/** A row with the name of its table; `table` tells the type of `row`. */
export type TableRow<T extends TableName = TableName> = {
  [K in T]: { readonly table: K; readonly row: Tables[K] };
}[T];

/** Rows of one table that left the server together; `table` tells the type of `rows`. */
export type Batch<T extends TableName = TableName> = {
  [K in T]: BatchOf<K>;
}[T];

/** Rows of the table `K` that left the server together. */
export interface BatchOf<K extends TableName> {
  readonly table: K;
  readonly rows: readonly Tables[K][];
  /** Counts the times that the table began, from 1. */
  readonly generation: number;
  /** When the oldest answer that these rows are from arrived at the server. */
  readonly extractedAt: Date | undefined;
  /** With `withParents`: how many rows contacts and conversations have in this table. */
  readonly parents: readonly ParentRows[];
}

/** The field of a message that holds a table's rows: "users_tags" are in `usersTags`. */
const FIELDS = new Map<string, string>();

function fieldOf(table: string): string {
  let field = FIELDS.get(table);
  if (field === undefined) {
    field = table.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    FIELDS.set(table, field);
  }
  return field;
}

/** Empty for a table that is newer than this package: it was not asked for. */
export function rowsOf(batch: RowBatch): readonly Row[] {
  const rows: unknown = batch[fieldOf(batch.table) as keyof RowBatch];
  return Array.isArray(rows) ? (rows as Row[]) : [];
}

/** A batch as callers see it. */
export function batchOf(message: RowBatch): Batch {
  return {
    table: message.table as TableName,
    rows: rowsOf(message),
    generation: message.generation,
    extractedAt: message.extractedAt && toDate(message.extractedAt),
    parents: message.parents,
  } as Batch;
}
