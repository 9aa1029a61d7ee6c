/** Times and durations of the messages. */

import type { Duration } from "./generated/google/protobuf/duration.js";
import type { Timestamp } from "./generated/google/protobuf/timestamp.js";

/** A time to the millisecond. */
export function toDate({ seconds, nanos }: Timestamp): Date {
  return new Date(Number(seconds) * 1e3 + Math.floor(nanos / 1e6));
}

/** A duration in milliseconds. */
export function toMs({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1e3 + nanos / 1e6;
}

/** RFC 3339 with as many digits as it takes. */
export function toText({ seconds, nanos }: Timestamp): string {
  const text = new Date(Number(seconds) * 1e3).toISOString().replace(".000Z", "");
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${text}${fraction}Z`;
}
