/** Messages and rows as proto3 JSON, with the names of the .proto files. */

import type { Timestamp } from "./generated/google/protobuf/timestamp.js";
import type { Row } from "./rows.js";
import { toText } from "./time.js";

/** A value that `JSON.stringify` takes. */
export type Json =
  string | number | boolean | null | Json[] | { readonly [key: string]: Json };

/** What the generated code has for each message. */
export interface MessageType<Message> {
  toJSON(message: Message): unknown;
}

/**
 * A message of `intercom-extractor/v1` as JSON: 64-bit integers as strings, enums by name, fields
 * with nothing in them left out.
 */
export function toJson<Message>(type: MessageType<Message>, message: Message): Json {
  return withTexts(type.toJSON(message));
}

/** A row as JSON: its columns in their order, 64-bit integers as strings, nulls as null. */
export function rowToJson(row: Row): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]: [string, Json | bigint]) => [
      column,
      typeof value === "bigint" ? String(value) : value,
    ]),
  );
}

/** The generated code leaves times as they are. */
function withTexts(value: unknown): Json {
  if (Array.isArray(value)) {
    return value.map(withTexts);
  }
  if (typeof value === "object" && value !== null) {
    if (isTimestamp(value)) {
      return toText(value);
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, withTexts(item)]),
    );
  }
  return value as Json;
}

/** No other JSON has a bigint. */
function isTimestamp(value: object): value is Timestamp {
  return "seconds" in value && typeof value.seconds === "bigint";
}
