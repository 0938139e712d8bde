// A server that answers what the test says, for what a real memcached cannot be
// brought to say: an old version's answers, a huge announcement, refusals.

import { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";

/** One command as it arrived. */
export interface ScriptedRequest {
  /** The command line without its line end. */
  line: string;
  /** The first word of the line: `mg`, `ms`, `md`, `mn`, `set`, … */
  verb: string;
  /** The second word of the line, where there is one. */
  key: string;
  /** The opaque flag with its letter, such as `O12`; empty when there is none. */
  opaque: string;
  /** The data block of `ms` and `set`. */
  data: string | undefined;
  /** The connection it came on, counted from 0. */
  connection: number;
  /** The connection itself, to be ended or reset. */
  socket: Socket;
}

/** What to answer; `undefined` for nothing at all. */
export type Script = (request: ScriptedRequest) => string | undefined;

/** A running server. */
export interface ScriptedServer extends AsyncDisposable {
  /** The port it listens on, on 127.0.0.1. */
  readonly port: number;
  /** Its address, as `servers` takes it. */
  readonly address: string;
  /** Every command that arrived, in order. */
  readonly requests: ScriptedRequest[];
  /** How many connections were opened. */
  readonly opened: number;
}

/** Starts a server that answers as the script says. */
export async function startScriptedServer(
  script: Script,
): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const requests: ScriptedRequest[] = [];
  let opened = 0;

  const server = createServer((socket) => {
    const connection = opened++;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      for (;;) {
        const command = takeCommand(received);
        if (command === undefined) return;
        received = received.slice(command.length);
        const request = { ...command.request, connection, socket };
        requests.push(request);
        const answer = script(request);
        if (answer !== undefined && socket.writable) {
          socket.write(Buffer.from(answer, "latin1"));
        }
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };

  return {
    port,
    address: `127.0.0.1:${port}`,
    requests,
    get opened() {
      return opened;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) =>
        server.close(() => resolve())
      );
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Answers what a connection begins with as memcached does. */
export function answerGreeting(
  verb: string,
  version = "1.6.18",
): string | undefined {
  if (verb === "mn") return "MN\r\n";
  return verb === "version" ? `VERSION ${version}\r\n` : undefined;
}

/**
 * Answers as memcached 1.6 does whose store is a map, so that a script only has
 * to say where its server differs. Knows nothing of times to live.
 */
export function answerFrom(items: Map<string, string>): Script {
  return ({ verb, key, opaque, data, line }) => {
    const flags = opaque === "" ? "" : ` ${opaque}`;
    switch (verb) {
      case "mn":
      case "version":
        return answerGreeting(verb);
      case "ms":
        items.set(key, data ?? "");
        return `HD${flags}\r\n`;
      case "md":
        return (items.delete(key) ? "HD" : "NF") + `${flags}\r\n`;
      case "mg": {
        const value = items.get(key);
        if (value === undefined) return `EN${flags}\r\n`;
        const wantsValue = /\sv(\s|$)/.test(line);
        return wantsValue
          ? `VA ${value.length} c1${flags}\r\n${value}\r\n`
          : `HD${flags}\r\n`;
      }
      default:
        return "ERROR\r\n";
    }
  };
}

function takeCommand(received: string) {
  const end = received.indexOf("\r\n");
  if (end === -1) return undefined;
  const line = received.slice(0, end);
  const words = line.split(" ");
  const [verb, key = ""] = words;
  let length = end + 2;
  let data: string | undefined;
  if (verb === "ms" || verb === "set") {
    const size = Number(verb === "ms" ? words[2] : words[4]);
    if (received.length < length + size + 2) return undefined;
    data = received.slice(length, length + size);
    length += size + 2;
  }
  const opaque = words.slice(2).find((word) => /^O\d/.test(word)) ?? "";
  return { request: { line, verb, key, opaque, data }, length };
}
