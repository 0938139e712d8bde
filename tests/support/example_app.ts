// examples/app.ts as somebody serves and uses it: a program that says where it
// listens, and a browser that logs in and out.

import assert from "node:assert/strict";
import { Browser } from "./browser.ts";

const PATIENCE = 30_000;

/** The environment of a program that serves the app. */
export function envOfApp(server: { address: string }): Record<string, string> {
  return { COOKIE_SECRET: "for tests", MEMCACHE_SERVERS: server.address };
}

/** Runs a program that serves the app, walks through the app, and shuts it down. */
export async function useServedApp(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<void> {
  await using child = new Deno.Command(program, {
    args,
    ...options,
    env: { NO_COLOR: "1", ...options.env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  // Deno has changed on which of the two it says where it listens.
  const outputs = [child.stdout, child.stderr].map((output) => {
    return output.pipeThrough(new TextDecoderStream()).getReader();
  });
  try {
    await useApp(await Promise.any(outputs.map(listeningOn)));
    child.kill("SIGTERM");
    const { code } = await child.status;
    assert.equal(code, 0, "It does not end well on SIGTERM");
  } finally {
    clearTimeout(timer);
    for (const output of outputs) await output.cancel();
  }
}

async function useApp(origin: string): Promise<void> {
  const browser = new Browser({ fetch }, origin);
  assert.ok((await browser.get("/")).includes("Hello, stranger."));
  assert.ok((await browser.get("/")).includes("here 2 times"));
  const page = await browser.post("/login", { user: "<ann>" });
  assert.ok(page.includes("Hello, &lt;ann&gt;."));
  assert.ok(page.includes("here 3 times"));
  assert.ok((await browser.post("/logout")).includes("Hello, stranger."));
}

/** The origin that the program says it listens on. */
async function listeningOn(
  output: ReadableStreamDefaultReader<string>,
): Promise<string> {
  let text = "";
  for (;;) {
    const { value, done } = await output.read();
    text += value ?? "";
    const origin = /http:\/\/[\w.]+:\d+/.exec(text)?.[0];
    if (origin !== undefined) return origin;
    assert.ok(!done, `It ended without listening: ${text}`);
  }
}
