// What the command line understands, and what it says to what it does not.

import { assertEquals, assertThrows } from "@std/assert";
import denoJson from "../../../deno.json" with { type: "json" };
import {
  type Arguments,
  readArguments,
  UsageError,
} from "../../../src/command_line/arguments.ts";
import { HELP } from "../../../src/command_line/help.ts";
import { main } from "../../../src/command_line/main.ts";
import { ProgressDisplay } from "../../../src/command_line/progress_display.ts";
import { number } from "../../../src/command_line/report_text.ts";
import { VERSION } from "../../../src/command_line/version.ts";

type Variables = Record<string, string>;

function read(line: string, variables: Variables = {}): Arguments {
  const args = line.split(" ");
  return readArguments(args, (name) => variables[name]) as Arguments;
}

function screen(isTTY: boolean) {
  const written: string[] = [];
  return {
    written,
    isTTY,
    write(text: string) {
      written.push(text);
    },
  };
}

async function run(line: string): Promise<[number, string, string]> {
  const [stdout, stderr] = [screen(false), screen(false)];
  const status = await main(line.split(" ").filter((it) => it !== ""), {
    readVariable: () => undefined,
    stdout,
    stderr,
    signal: new AbortController().signal,
    version: VERSION,
  });
  return [status, stdout.written.join(""), stderr.written.join("")];
}

Deno.test("readArguments() reads the servers of a list, and of several", () => {
  assertEquals(read("status --servers a,b:1").servers, ["a", "b:1"]);
  assertEquals(read("repair -s a -s b,c").servers, ["a", "b", "c"]);
  const variables = { MEMCACHE_SERVERS: "memcache://u:p@a, b" };
  assertEquals(read("status --json", variables).servers, [
    "memcache://u:p@a",
    "b",
  ]);
  const { servers, to } = read("move --from a,b --to c,d", variables);
  assertEquals([servers, to], [["a", "b"], ["c", "d"]]);
});

Deno.test("readArguments() fills in what is not said", () => {
  assertEquals(read("repair --servers a"), {
    command: "repair",
    servers: ["a"],
    to: [],
    client: { timeout: 5000, tls: false },
    copies: 1,
    prefix: "session:",
    encrypt: undefined,
    rate: Infinity,
    dryRun: false,
    removeStrays: false,
    drain: false,
    quick: false,
    json: false,
  });
});

Deno.test("readArguments() takes passwords and secrets from the environment", () => {
  const { client, encrypt } = read("status -s a --accept-plaintext", {
    MEMCACHE_USERNAME: "app",
    MEMCACHE_PASSWORD: "pass word",
    SESSION_SECRETS: "one\ntwo,three",
  });
  assertEquals([client.username, client.password], ["app", "pass word"]);
  const secrets = ["one", "two", "three"];
  assertEquals(encrypt, { secrets, acceptPlaintext: true });
});

const WRONG: [line: string, message: string][] = [
  ["status", "Use --servers or MEMCACHE_SERVERS"],
  ["--servers a", "Choose a command"],
  ["remove --servers a", "Unknown command 'remove'"],
  ["status --servers a b", "Unexpected argument 'b'"],
  ["status --servers a --rate 5", "'status' has no option --rate"],
  ["move --servers a", "it has --from and --to"],
  ["move --to a", "Use --from"],
  ["move --from a", "Use --to"],
  ["status --servers a --copies two", "--copies takes a positive integer"],
  ["status --servers a --copies 0", "--copies takes a positive integer"],
  ["status --servers memcache://u:p@a", "--servers must not hold a password"],
  ["status --server a", "Unknown option '--server': did you mean --servers?"],
  ["status --nothing-like-it", "Unknown option '--nothing-like-it'"],
  ["status --servers a --ca /nowhere", "--ca names a file that cannot be read"],
  ["status --servers a --accept-plaintext", "SESSION_SECRETS, which is not"],
];
for (const [line, message] of WRONG) {
  Deno.test(`readArguments() refuses "${line}"`, () => {
    assertThrows(() => read(line), UsageError, message);
  });
}

Deno.test("main() explains itself, and ends with 2 when the arguments are wrong", async () => {
  assertEquals(await run("repair --help"), [0, HELP, ""]);
  for (const line of ["", "help", "help repair"]) {
    assertEquals(await run(line), [0, HELP, ""]);
  }
  assertEquals(await run("--version"), [0, `${denoJson.version}\n`, ""]);
  const [status, out, complaint] = await run("status --servers a:b");
  assertEquals([status, out], [2, ""]);
  assertEquals(complaint.includes("'servers[0]' must be"), true);
});

Deno.test("HELP fits on a terminal of 80 columns", () => {
  const long = HELP.split("\n").filter((line) => line.length > 80);
  assertEquals(long, []);
});

Deno.test("ProgressDisplay draws a bar on a terminal, and removes it", () => {
  const terminal = screen(true);
  const display = new ProgressDisplay(terminal);
  display.show({ phase: "listing", done: 0, total: 0 });
  display.show({ phase: "working", done: 1500, total: 3000 });
  display.clear();
  const [listing, half, gone] = terminal.written;
  assertEquals(listing, "\rListing the sessions");
  assertEquals(
    half.trimEnd(),
    `\r[${"#".repeat(15).padEnd(30)}] 1,500 of 3,000 sessions`,
  );
  assertEquals(gone.trim(), "");
});

Deno.test("ProgressDisplay is silent elsewhere while it is quick", () => {
  const file = screen(false);
  const display = new ProgressDisplay(file);
  display.show({ phase: "working", done: 1, total: 2 });
  assertEquals(file.written, []);
});

Deno.test("number() sets thousands apart", () => {
  const numbers = [0, 999, 1000, 1234567].map(number);
  assertEquals(numbers, ["0", "999", "1,000", "1,234,567"]);
});
