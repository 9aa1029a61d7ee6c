/** The client of an extractor server. */

import { systemTiming, type Timing } from "./backoff.js";
import {
  callUnary,
  startExtract,
  type CallLimits,
  type ResponseStream,
  type UnaryMethod,
} from "./calls.js";
import { channelFor, metadataFor, type TlsOptions } from "./channel.js";
import { CancelledError } from "./errors.js";
import { Extraction } from "./extraction.js";
import { Template } from "./generated/intercom/extractor/v1/annotations.js";
import {
  ExtractorServiceClient,
  type CheckConnectionResponse,
  type ExtractRequest,
  type PlanExtractionResponse,
  type TableDescription,
} from "./generated/intercom/extractor/v1/extractor_service.js";
import {
  extractRequest,
  planRequest,
  TEMPLATES,
  type Selection,
  type TemplateName,
} from "./request.js";
import type { TableName } from "./rows.js";
import { Run, type RunOptions } from "./run.js";

/** How a client connects. */
export interface ClientOptions {
  /** One of the server's connections; "default" by default. */
  readonly connection?: string | undefined;
  /** By default, TLS except on this machine; certificates of one's own instead of `true`. */
  readonly tls?: TlsOptions | boolean | undefined;
  /** What the server asks its callers for, if anything. */
  readonly token?: string | undefined;
  /** For tests. */
  readonly timing?: Timing | undefined;
}

/** What `extract` reads, and how. */
export interface ExtractOptions<T extends TableName = TableName>
  extends Selection<T>, RunOptions {
  /** Also says how many rows each contact and conversation has; see `Batch`. */
  readonly withParents?: boolean | undefined;
  /** Cancels; reading then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls a server at `target`, "HOST:PORT" or "unix:PATH", for one of its connections. Connects
 * when first used.
 */
export class Client {
  private readonly connection: string;
  private readonly timing: Timing;
  private readonly metadata;
  private readonly stub: ExtractorServiceClient;
  private readonly open = new Set<Extraction>();

  constructor(target: string, options: ClientOptions = {}) {
    const { credentials, options: channelOptions } = channelFor(target, options.tls);
    this.connection = options.connection ?? "default";
    this.timing = options.timing ?? systemTiming;
    this.metadata = metadataFor(options.token);
    this.stub = new ExtractorServiceClient(target, credentials, channelOptions);
  }

  /** Closes the connection; what is still being read ends with a `CancelledError`. */
  close(): void {
    for (const extraction of this.open) {
      extraction.abort(new CancelledError("the client was closed"));
    }
    this.stub.close();
  }

  /** The tables of a template, or all, with their columns. */
  async tables(template?: TemplateName, limits: CallLimits = {}): Promise<TableDescription[]> {
    const wanted =
      template === undefined ? Template.TEMPLATE_UNSPECIFIED : TEMPLATES[template];
    const response = await this.call(
      this.stub.listTables.bind(this.stub),
      { template: wanted, connection: "" },
      limits,
    );
    return response.tables;
  }

  /** Whether the connection's access token works, and which tables it may read. */
  check(limits: CallLimits = {}): Promise<CheckConnectionResponse> {
    const { connection } = this;
    return this.call(this.stub.checkConnection.bind(this.stub), { connection }, limits);
  }

  /** With how many requests `extract` would read these tables, and how long it takes. */
  plan(selection: Selection & CallLimits = {}): Promise<PlanExtractionResponse> {
    const request = planRequest(this.connection, selection);
    return this.call(this.stub.planExtraction.bind(this.stub), request, selection);
  }

  /** Reads these tables; begins when first read from. */
  extract<T extends TableName>(
    options: ExtractOptions<T> & {
      readonly tables: readonly T[];
      readonly template?: undefined;
    },
  ): Extraction<T>;
  /** Reads tables, all unless told which; begins when first read from. */
  extract(options?: ExtractOptions): Extraction;
  extract(options: ExtractOptions = {}): Extraction {
    const request = extractRequest(this.connection, options, options.withParents);
    const run = new Run(request, options, this.timing);
    const extraction: Extraction = new Extraction(
      run,
      (next, timeoutMs) => this.start(next, timeoutMs, extraction),
      async () => requested(await this.tables(), request),
      this.timing,
      options.signal,
    );
    return extraction;
  }

  private start(
    request: ExtractRequest,
    timeoutMs: number | undefined,
    extraction: Extraction,
  ): ResponseStream {
    this.open.add(extraction);
    const call = startExtract(this.stub, this.metadata, request, timeoutMs);
    return {
      next: () => call.next(),
      cancel: () => {
        this.open.delete(extraction);
        call.cancel();
      },
    };
  }

  private call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    limits: CallLimits,
  ): Promise<Response> {
    return callUnary(method, request, this.metadata, limits);
  }
}

/** Those of all tables that a request asks for. */
function requested(tables: readonly TableDescription[], request: ExtractRequest) {
  const named = new Set(request.tables);
  const { template } = request;
  return tables.filter(
    ({ table }) =>
      table !== undefined &&
      (named.has(table.name) ||
        template === Template.TEMPLATE_ALL ||
        (template !== Template.TEMPLATE_UNSPECIFIED && table.template === template)),
  );
}
