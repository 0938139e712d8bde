// That the demo leaves no process behind, however it ends.

import { assertEquals } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { StatusModel } from "../../../demo/app/views/model.ts";

const SCRIPT = fileURLToPath(
  new URL("../../../demo/run.ts", import.meta.url),
);
const PATIENCE = 10_000;

for (
  const [signal, to, code] of [
    ["SIGINT", "its process group, as Ctrl-C is", 0],
    ["SIGTERM", "it", 0],
    ["SIGKILL", "it", null],
  ] as const
) {
  Deno.test(`demo leaves nothing running when ${signal} is sent to ${to}`, async () => {
    const demo = spawn(Deno.execPath(), ["run", "-A", SCRIPT], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(demo, "close");
    try {
      const pids = await startedBy(await addressOf(demo));
      assertEquals(pids.filter(isAlive), pids);
      const group = signal === "SIGINT" ? -1 : 1;
      process.kill(group * demo.pid!, signal);
      assertEquals((await ended)[0], code);
      await untilGone(pids);
    } finally {
      demo.kill("SIGKILL");
      await ended;
    }
  });
}

/** The address that the demo prints. */
async function addressOf(demo: ChildProcess): Promise<string> {
  let output = "";
  for await (const chunk of demo.stdout!) {
    output += chunk;
    const address = output.match(/Open (http:\S+)\n/)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`The demo has ended: ${output}`);
}

/** The ids of the three servers and of the two app processes. */
async function startedBy(address: string): Promise<number[]> {
  const due = Date.now() + PATIENCE;
  while (Date.now() < due) {
    const response = await fetch(`${address}/background/status`, {
      headers: { Accept: "application/json" },
    });
    const { state }: StatusModel = await response.json();
    const pids = [...state.servers, ...state.apps].flatMap(({ pid }) =>
      pid ?? []
    );
    if (pids.length === 5) return pids;
    await pause();
  }
  throw new Error("The processes of the demo have not reported their ids");
}

async function untilGone(pids: number[]): Promise<void> {
  const due = Date.now() + PATIENCE;
  while (pids.some(isAlive) && Date.now() < due) await pause();
  assertEquals(pids.filter(isAlive), []);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
