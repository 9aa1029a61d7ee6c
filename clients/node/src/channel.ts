/** Connections to a server: addresses, TLS, the caller's token. */

import { BlockList, isIP } from "node:net";
import { ChannelCredentials, Metadata, type ChannelOptions } from "@grpc/grpc-js";

// A batch is at most 1 MiB, but a single row may be as large as this.
const LARGEST_MESSAGE = 64 << 20;

const OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": LARGEST_MESSAGE,
  // The server says something at least every 10 s. More than one ping in 30 s it takes for an
  // attack. Unlike gRPC in C++, this one has no limit to pings without data.
  "grpc.keepalive_time_ms": 60_000,
  "grpc.keepalive_timeout_ms": 30_000,
  // The largest batch fits; with HTTP/2's 64 KiB a server that is 50 ms away could send no more
  // than 1.3 MB/s.
  "grpc-node.flow_control_window": 1 << 20,
  // By default gRPC waits up to two minutes before it connects again.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  // Spares a look-up of a TXT record that nobody has.
  "grpc.service_config_disable_resolution": 1,
};
// A proxy for the internet has no business between us and this machine.
const LOCAL_OPTIONS: ChannelOptions = { ...OPTIONS, "grpc.enable_http_proxy": 0 };

/** Certificates and a key in PEM, as Node's `tls` takes them. */
export interface TlsOptions {
  /** Authorities to trust instead of the system's. */
  readonly ca?: string | Buffer;
  /** The client certificate, together with `key`. */
  readonly cert?: string | Buffer;
  /** The key of `cert`. */
  readonly key?: string | Buffer;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether an address stays within this machine: only there may text travel in the clear. */
export function isLocal(target: string): boolean {
  if (target.startsWith("unix:")) {
    return true;
  }
  const host = target.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  if (host === "localhost") {
    return true;
  }
  const version = isIP(host);
  return version !== 0 && LOOPBACK.check(host, version === 6 ? "ipv6" : "ipv4");
}

/** How to connect to a target. Throws where it would be in the clear across a network. */
export function channelFor(
  target: string,
  tls: TlsOptions | boolean | undefined,
): { credentials: ChannelCredentials; options: ChannelOptions } {
  const local = isLocal(target);
  const wanted = tls ?? !local;
  if (wanted === false) {
    if (!local) {
      throw new TypeError(`${target} is not on this machine: TLS is needed`);
    }
    return { credentials: ChannelCredentials.createInsecure(), options: LOCAL_OPTIONS };
  }
  const { ca, cert, key } = wanted === true ? {} : wanted;
  return {
    credentials: ChannelCredentials.createSsl(pem(ca), pem(key), pem(cert)),
    options: local ? LOCAL_OPTIONS : OPTIONS,
  };
}

function pem(text: string | Buffer | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}

/** What shows the server who calls. */
export function metadataFor(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) {
    if (!/^[!-~]+$/.test(token)) {
      // Without the token: it would end in logs.
      throw new TypeError("token must be one word of printable ASCII characters");
    }
    metadata.set("authorization", `Bearer ${token}`);
  }
  return metadata;
}
