/** What a caller asks for, as the messages of the service. */

import { Template } from "./generated/intercom/extractor/v1/annotations.js";
import {
  BodyFormat,
  type ExtractRequest,
  type PlanExtractionRequest,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import type { TableName } from "./rows.js";

/** A named set of tables. */
export type TemplateName = "basic" | "conversations" | "all";

/** The values of `Template` by the names that callers use. */
export const TEMPLATES: Readonly<Record<TemplateName, Template>> = {
  basic: Template.TEMPLATE_BASIC,
  conversations: Template.TEMPLATE_CONVERSATIONS,
  all: Template.TEMPLATE_ALL,
};

const BODY_FORMATS = {
  plaintext: BodyFormat.BODY_FORMAT_PLAINTEXT,
  html: BodyFormat.BODY_FORMAT_HTML,
} as const;

/** Which tables, and what of them. */
export interface Selection<T extends TableName = TableName> {
  /** Tables by name, in addition to the template's; all where neither is given. */
  readonly tables?: readonly T[] | undefined;
  /** A named set of tables. */
  readonly template?: TemplateName | undefined;
  /** An incremental run: only what changed since, as a time or in Unix seconds. */
  readonly updatedSince?: Date | number | bigint | undefined;
  /** An incremental run also says what was deleted since; see `ExtractRequest`. */
  readonly findDeleted?: boolean | undefined;
  /** How bodies of conversations and their parts are written; "plaintext" by default. */
  readonly bodyFormat?: "plaintext" | "html" | undefined;
}

/** A request without a token. */
export function extractRequest(
  connection: string,
  selection: Selection,
  withParents = false,
): ExtractRequest {
  const { tables = [], template, updatedSince, findDeleted = false } = selection;
  if (typeof tables === "string") {
    throw new TypeError(`tables is a list of names: [${JSON.stringify(tables)}]`);
  }
  return {
    connection,
    template: templateOf(template, tables.length),
    tables: [...tables],
    bodyFormat: BODY_FORMATS[selection.bodyFormat ?? "plaintext"],
    resumeToken: Buffer.alloc(0),
    updatedSince:
      updatedSince === undefined ? undefined : { seconds: secondsOf(updatedSince), nanos: 0 },
    findDeleted,
    withParents,
    columns: [],
  };
}

/** The same for a plan. */
export function planRequest(connection: string, selection: Selection): PlanExtractionRequest {
  const { template, tables, bodyFormat, updatedSince, findDeleted } = extractRequest(
    connection,
    selection,
  );
  return { connection, template, tables, bodyFormat, updatedSince, findDeleted };
}

function templateOf(name: TemplateName | undefined, tables: number): Template {
  if (name === undefined) {
    return tables === 0 ? Template.TEMPLATE_ALL : Template.TEMPLATE_UNSPECIFIED;
  }
  if (!Object.hasOwn(TEMPLATES, name)) {
    const names = Object.keys(TEMPLATES).join(", ");
    throw new TypeError(`template is one of ${names}, not ${JSON.stringify(name)}`);
  }
  return TEMPLATES[name];
}

function secondsOf(time: Date | number | bigint): bigint {
  const seconds = time instanceof Date ? time.getTime() / 1e3 : time;
  if (typeof seconds === "bigint") {
    return seconds;
  }
  if (!Number.isFinite(seconds)) {
    throw new TypeError("updatedSince is no time");
  }
  return BigInt(Math.floor(seconds));
}
