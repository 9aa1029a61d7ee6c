import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { batch, checkpoint, summary } from "./testing/messages.js";
import { User } from "./generated/intercom/extractor/v1/tables.js";
import { TestServer } from "./testing/server.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

function user(id: string, email: string) {
  return { ...User.decode(new Uint8Array()), id, email, created_at: 1_735_000_000n };
}

test("the README's example compiles, and does what it says", async (context) => {
  const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const output = /```text\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const users = [user("5ba682d2", "ada@example.com"), user("5ba682d3", "alan@example.com")];
  const server = await new TestServer(() => [
    batch({ table: "users", users }),
    checkpointOf("users", 2),
    summary(),
  ]).start();
  // Within the package, where its name leads to itself.
  const folder = await mkdtemp(join(PACKAGE, "dist", "readme-"));
  context.after(async () => {
    server.stop();
    await rm(folder, { recursive: true });
  });
  const source = join(folder, "example.ts");
  assert.ok(example.includes("localhost:50051"));
  await writeFile(source, example.replace("localhost:50051", server.address));

  const program = ts.createProgram([source], {
    ...compilerOptions(),
    rootDir: folder,
    outDir: folder,
  });
  const problems = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  assert.deepEqual(
    problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
    [],
  );
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "example.js")]);
  assert.equal(stdout, output);
});

function compilerOptions(): ts.CompilerOptions {
  const file = join(PACKAGE, "tsconfig.json");
  const parsed = ts.getParsedCommandLineOfConfigFile(
    file,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
      },
    },
  );
  return parsed?.options ?? {};
}

function checkpointOf(table: string, rows: number) {
  const response = checkpoint(1);
  if (response.event?.$case === "checkpoint") {
    response.event.value.rows = [{ table, rows: BigInt(rows), generation: 1 }];
  }
  return response;
}
