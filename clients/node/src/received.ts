/** Messages of a stream as they arrive. */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { BrokenStreamError } from "./errors.js";
import {
  ExtractResponse,
  RowBatch,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import { RowReader } from "./rowReader.js";
import { batchOf, type Batch } from "./rows.js";

type Event = NonNullable<ExtractResponse["event"]>;

/** An event whose rows, if it has any, are still bytes. */
export type Known =
  | Exclude<Event, { $case: "rowBatch" }>
  | { readonly $case: "rowBatch"; readonly value: ReceivedBatch };

/** What a message may hold. */
export type Message = Known | { readonly $case: "unknown" };

// Numbers of fields.
const ROW_BATCH = 1;
const TABLE = 1;
const GENERATION = 3;
/** From this number on the fields of a batch are rows. */
const FIRST_ROWS = 11;

/**
 * A batch whose rows are decoded when they are handed out. Thousands of objects that wait for
 * their checkpoint would be copied around by the garbage collector, which costs about as much as
 * half of their decoding; bytes are left where they are.
 */
export class ReceivedBatch {
  readonly table: string = "";
  readonly generation: number = 0;
  /** How many rows it has. */
  readonly rowCount: number = 0;

  constructor(private readonly bytes: Buffer) {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === TABLE) {
        this.table = reader.string();
      } else if (field === GENERATION) {
        this.generation = reader.uint32();
      } else {
        this.rowCount += Number(field >= FIRST_ROWS);
        reader.skip(wireType, field);
      }
    }
  }

  /** Throws BrokenStreamError. */
  decode(): Batch {
    try {
      return batchOf(RowBatch.decode(new RowReader(this.bytes)));
    } catch (error) {
      throw new BrokenStreamError(
        `a batch of ${this.table} is no protobuf (${String(error)})`,
      );
    }
  }
}

/** The event in a message; "unknown" where it is something that a newer server says. */
export function receive(bytes: Buffer): Message {
  const reader = new BinaryReader(bytes);
  if (reader.len > 0 && reader.tag()[0] === ROW_BATCH) {
    const length = reader.uint32();
    if (reader.pos + length === reader.len) {
      return { $case: "rowBatch", value: new ReceivedBatch(bytes.subarray(reader.pos)) };
    }
  }
  const { event } = ExtractResponse.decode(bytes);
  if (event?.$case !== "rowBatch") {
    return event ?? { $case: "unknown" };
  }
  // With something beside the batch.
  return {
    $case: "rowBatch",
    value: new ReceivedBatch(Buffer.from(RowBatch.encode(event.value).finish())),
  };
}
