import assert from "node:assert/strict";
import { test } from "node:test";
import { channelFor, isLocal, metadataFor } from "./channel.js";

for (const target of ["localhost:1", "127.0.0.1:1", "127.9.8.7", "[::1]:1", "unix:/run/x"]) {
  test(`${target} is on this machine`, () => {
    assert.ok(isLocal(target));
    assert.equal(channelFor(target, undefined).credentials._isSecure(), false);
  });
}

for (const target of [
  "example.com:1",
  "10.0.0.1:1",
  "localhost.example.com:1",
  "[fe80::1]:1",
]) {
  test(`${target} is not on this machine and needs TLS`, () => {
    assert.ok(!isLocal(target));
    assert.equal(channelFor(target, undefined).credentials._isSecure(), true);
    assert.throws(() => channelFor(target, false), TypeError);
  });
}

test("a server on this machine may have TLS too", () => {
  assert.equal(channelFor("localhost:1", true).credentials._isSecure(), true);
});

test("channels ping, take large messages and come back soon", () => {
  const { options } = channelFor("example.com:1", undefined);
  assert.equal(options["grpc.keepalive_time_ms"], 60_000);
  assert.equal(options["grpc.keepalive_timeout_ms"], 30_000);
  assert.equal(options["grpc.max_receive_message_length"], 64 * 1024 * 1024);
  assert.equal(options["grpc.max_reconnect_backoff_ms"], 1000);
  assert.equal(options["grpc.enable_http_proxy"], undefined);
});

test("no proxy stands between a client and its own machine", () => {
  assert.equal(channelFor("localhost:1", undefined).options["grpc.enable_http_proxy"], 0);
});

test("the caller's token is shown as a bearer", () => {
  assert.deepEqual(metadataFor("opensesame").get("authorization"), ["Bearer opensesame"]);
  assert.deepEqual(metadataFor(undefined).get("authorization"), []);
});

test("a token that is no token is refused without being said", () => {
  for (const token of ["", "two words", "line\n", "ü"]) {
    assert.throws(
      () => metadataFor(token),
      (error: Error) => token === "" || !error.message.includes(token),
    );
  }
});
