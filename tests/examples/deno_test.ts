import { assert, assertFalse, assertStringIncludes } from "@std/assert";
import { Browser } from "../support/browser.ts";
import { startMemcached } from "../support/memcached.ts";

const PATIENCE = 30_000;

Deno.test("examples/deno.ts serves with --allow-net as its only permission", async () => {
  await using server = await startMemcached();
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net",
      new URL("../../examples/deno.ts", import.meta.url).pathname,
      server.address,
    ],
    env: { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0", NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  // Deno has changed on which of the two it says where it listens.
  const outputs = [child.stdout, child.stderr].map((output) => {
    return output.pipeThrough(new TextDecoderStream()).getReader();
  });
  try {
    const origin = await Promise.any(outputs.map(listeningOn));
    const browser = new Browser({ fetch }, origin);
    assertStringIncludes(await browser.get("/"), "Hello, stranger.");
    assertStringIncludes(await browser.get("/"), "here 2 times");
    const page = await browser.post("/login", { user: "<ann>" });
    assertStringIncludes(page, "Hello, &lt;ann&gt;.");
    assertStringIncludes(page, "You are logged in.");
    assertStringIncludes(page, "here 3 times");
    assertFalse((await browser.get("/")).includes("You are logged in."));
    assertStringIncludes(await browser.post("/logout"), "Hello, stranger.");
  } finally {
    clearTimeout(timer);
    for (const output of outputs) await output.cancel();
  }
});

/** The origin that `Deno.serve` says it listens on. */
async function listeningOn(
  output: ReadableStreamDefaultReader<string>,
): Promise<string> {
  let text = "";
  for (;;) {
    const { value, done } = await output.read();
    text += value ?? "";
    const origin = /http:\/\/[\d.]+:\d+/.exec(text)?.[0];
    if (origin !== undefined) return origin;
    assert(!done, `It ended without listening: ${text}`);
  }
}
