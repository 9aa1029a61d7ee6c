/** A gRPC server within the process. */

import type { EventEmitter } from "node:events";
import {
  Server,
  ServerCredentials,
  status,
  type Metadata,
  type sendUnaryData,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import {
  ExtractorServiceService,
  type CheckConnectionResponse,
  type ExtractRequest,
  type ExtractResponse,
  type ListTablesResponse,
  type PlanExtractionResponse,
} from "../generated/intercom/extractor/v1/extractor_service.js";

/** A server of scripted answers. */
export class TestServer {
  address = "";
  readonly metadata: Metadata[] = [];
  /** How many calls of Extract were cancelled. */
  cancelled = 0;
  /** How many messages left. */
  sent = 0;
  private readonly server = new Server();

  /** `answer`: of Extract; it then stays open where `holds`. */
  constructor(
    answer: (request: ExtractRequest) => Iterable<ExtractResponse>,
    { holds = false, tables = ["tags"] } = {},
  ) {
    this.server.addService(ExtractorServiceService, {
      extract: (call: ServerWritableStream<ExtractRequest, ExtractResponse>) => {
        this.metadata.push(call.metadata);
        call.on("cancelled", () => {
          this.cancelled += 1;
        });
        const messages = answer(call.request)[Symbol.iterator]();
        const send = () => {
          while (!call.cancelled) {
            const next = messages.next();
            if (next.done) {
              if (!holds) {
                call.end();
              }
              return;
            }
            this.sent += 1;
            if (!call.write(next.value)) {
              call.once("drain", send);
              return;
            }
          }
        };
        send();
      },
      listTables: (_: unknown, callback: sendUnaryData<ListTablesResponse>) => {
        callback(null, {
          tables: tables.map((name) => ({
            table: { ...TABLE, name },
            columns: [],
            rowMessage: "",
          })),
        });
      },
      checkConnection: (_: unknown, callback: sendUnaryData<CheckConnectionResponse>) => {
        callback({ code: status.NOT_FOUND, details: "no such connection" });
      },
      // Never answers.
      planExtraction: (
        call: EventEmitter,
        callback: sendUnaryData<PlanExtractionResponse>,
      ) => {
        call.on("cancelled", () => {
          this.cancelled += 1;
          callback({ code: status.CANCELLED });
        });
      },
    });
  }

  async start(): Promise<this> {
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure();
      this.server.bindAsync("127.0.0.1:0", credentials, (error, bound) => {
        if (error === null) {
          resolve(bound);
        } else {
          reject(error);
        }
      });
    });
    this.address = `127.0.0.1:${port}`;
    return this;
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

const TABLE = {
  description: "",
  sources: [],
  role: 0,
  parent: "",
  key: [],
  template: 0,
  endpoint: "",
  incremental: 0,
  incrementalGap: "",
};
