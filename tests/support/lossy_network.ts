// A network of its own, on which single connections can lose their packets: two
// network namespaces of Linux with a cable between them. Needs to be root.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { connect } from "node:net";
import process from "node:process";
import { findMemcached } from "../../tools/find_command.ts";

const PORT = 11211;
/**
 * Of the block that is set aside for benchmarks, 198.18.0.0/15, so that no real
 * network has it; four addresses for each process, so that two of them can run.
 */
const NETWORK = process.pid % 2 ** 15 * 4;
const HERE = addressOf(1);
const THERE = addressOf(2);

/** A memcached behind a network that can lose packets. */
export interface LossyNetwork extends AsyncDisposable {
  /** The server, as `servers` takes it. */
  readonly address: string;
  /** The local ports of the connections to the server that are open now. */
  ports(): number[];
  /** Loses all that is sent from a local port, until `mend()`. */
  lose(port: number): void;
  /** Loses nothing any more. */
  mend(): void;
}

/** Whether this machine lets us make such networks. */
export function canMakeNetworks(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const name = `probe-${process.pid}`;
  try {
    run("ip", "netns", "add", name);
    run("ip", "netns", "del", name);
    run("ss", "-V");
    return findMemcached() !== undefined;
  } catch {
    return false;
  }
}

/** Makes a network, and starts a memcached on its far side. */
export async function startLossyNetwork(): Promise<LossyNetwork> {
  const name = `lossy-${process.pid}`;
  const cable = `lossy${process.pid}`.slice(0, 13);
  const rule = ["pref", "77", "ipproto", "tcp", "to", THERE];
  let server: ChildProcess | undefined;
  let isLossy = false;
  const mend = () => {
    if (isLossy) run("ip", "rule", "del", ...rule);
    isLossy = false;
  };
  const stop = async () => {
    mend();
    if (server !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server!.once("close", resolve));
      server.kill("SIGKILL");
      await ended;
    }
    // Its end of the cable goes with it, and with that end the cable.
    run("ip", "netns", "del", name);
  };
  run("ip", "netns", "add", name);
  try {
    const far = ["netns", "exec", name, "ip"];
    run(
      "ip",
      "link",
      "add",
      cable,
      "type",
      "veth",
      "peer",
      "far",
      "netns",
      name,
    );
    run("ip", "addr", "add", `${HERE}/30`, "dev", cable);
    run("ip", "link", "set", cable, "up");
    run("ip", ...far, "addr", "add", `${THERE}/30`, "dev", "far");
    run("ip", ...far, "link", "set", "far", "up");
    const command = [findMemcached()!, "-u", "root", "-l", THERE, "-t", "1"];
    server = spawn("ip", ["netns", "exec", name, ...command], {
      stdio: "ignore",
    });
    await accepts();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address: `${THERE}:${PORT}`,
    ports() {
      const list = run("ss", "-Htn", "state", "established", "dst", THERE);
      const found = list.matchAll(new RegExp(`${HERE}:(\\d+)\\s`, "g"));
      return Array.from(found, ([, port]) => Number(port));
    },
    lose(port) {
      run("ip", "rule", "add", ...rule, "sport", `${port}`, "blackhole");
      isLossy = true;
    },
    mend,
    [Symbol.asyncDispose]: stop,
  };
}

function addressOf(host: number): string {
  const last = NETWORK + host;
  return `198.${18 + (last >> 16)}.${last >> 8 & 0xff}.${last & 0xff}`;
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { stdio: "pipe" }).toString();
}

async function accepts(): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(PORT, THERE);
      socket.on("connect", () => socket.destroy());
      socket.on("error", () => {});
      socket.on("close", (hadError) => resolve(!hadError));
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("memcached does not answer on the far side");
}
