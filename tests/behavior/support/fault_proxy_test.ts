import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { type FaultProxy, startFaultProxy } from "../../support/fault_proxy.ts";
import { sleep } from "../../support/outcome.ts";
import type { ReplyFault } from "../../support/reply_fault.ts";
import { startScriptedServer } from "../../support/scripted_server.ts";

/** Answers `echo a b` with the replies `a` and `b`. */
function startEcho() {
  return startScriptedServer(({ line }) =>
    line.split(" ").slice(1).map((word) => `${word}\r\n`).join("")
  );
}

/** A client that notes what arrives, chunk by chunk, and how the connection ends. */
class RawClient implements AsyncDisposable {
  readonly chunks: string[] = [];
  end: "open" | "end" | "reset" = "open";
  readonly #socket: Socket;
  readonly #closed: Promise<void>;

  constructor(proxy: FaultProxy) {
    this.#socket = connect(proxy.port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk.toString());
    });
    this.#socket.on("end", () => this.end = "end");
    this.#socket.on("error", () => this.end = "reset");
    this.#closed = new Promise((resolve) => {
      this.#socket.on("close", () => resolve());
    });
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  async until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 1000 && !condition(); i++) await sleep(2);
    assertEquals(condition(), true, `got ${JSON.stringify(this.chunks)}`);
  }

  async received(text: string): Promise<void> {
    await this.until(() => this.chunks.join("") === text);
    await sleep(10);
    assertEquals(this.chunks.join(""), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}

/** What a fault of the second of three replies makes of them. */
const FAULTS: [ReplyFault | undefined, string][] = [
  [undefined, "one\r\ntwo\r\nthree\r\n"],
  ["drop", "one\r\nthree\r\n"],
  ["duplicate", "one\r\ntwo\r\ntwo\r\nthree\r\n"],
  ["hold", "one\r\ntwo\r\nthree\r\n"],
  ["swap", "one\r\nthree\r\ntwo\r\n"],
  ["silence", "one\r\n"],
  [{ delay: 20 }, "one\r\ntwo\r\nthree\r\n"],
  [{ before: "x" }, "one\r\nxtwo\r\nthree\r\n"],
  [{ after: "x" }, "one\r\ntwo\r\nxthree\r\n"],
  [{ instead: "x" }, "one\r\nxthree\r\n"],
  [{ cutAt: 2, then: "next" }, "one\r\ntwthree\r\n"],
  [{ cutAt: 2, then: "end" }, "one\r\ntw"],
  [{ cutAt: 2, then: "silence" }, "one\r\ntw"],
  ["end", "one\r\n"],
];

for (const [fault, expected] of FAULTS) {
  Deno.test(`FaultProxy sends what it should when a reply meets ${JSON.stringify(fault)}`, async () => {
    await using server = await startEcho();
    await using proxy = await startFaultProxy(server);
    await using client = new RawClient(proxy);
    proxy.onReply = (_, { index }) => index === 1 ? fault : undefined;
    client.send("echo one two three\r\n");
    await client.received(expected);
    const ends = fault === "end" || JSON.stringify(fault)?.includes('"end"');
    if (ends) await client.until(() => client.end === "end");
    else assertEquals(client.end, "open");
  });
}

Deno.test("FaultProxy delivers one byte a chunk when a reply is to be chunked", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  await using client = new RawClient(proxy);
  proxy.onReply = () => ({ chunk: 1 });
  client.send("echo one two\r\n");
  await client.received("one\r\ntwo\r\n");
  assertEquals(client.chunks.length, 10);
});

Deno.test("FaultProxy delivers two chunks when a reply is to be split", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  await using client = new RawClient(proxy);
  proxy.onReply = () => ({ splitAt: 4 });
  client.send("echo one\r\n");
  await client.received("one\r\n");
  assertEquals(client.chunks, ["one\r", "\n"]);
});

Deno.test("FaultProxy sends the bytes of a reply so far apart when it drips", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  await using client = new RawClient(proxy);
  proxy.onReply = () => ({ chunk: 1, every: 20 });
  const start = performance.now();
  client.send("echo one\r\n");
  await client.received("one\r\n");
  assertGreater(performance.now() - start, 75);
});

Deno.test("FaultProxy takes a value and its line as one reply", async () => {
  await using server = await startScriptedServer(() =>
    "VA 8 O1\r\nEN\r\nHD\r\n\r\nEN O2\r\n"
  );
  await using proxy = await startFaultProxy(server);
  await using client = new RawClient(proxy);
  proxy.onReply = (_, { index }) => index === 0 ? "drop" : undefined;
  client.send("mg a\r\n");
  await client.received("EN O2\r\n");
  assertEquals(proxy.counters.replies, 2);
});

Deno.test("FaultProxy takes classic values and their END as one reply", async () => {
  await using server = await startScriptedServer(() =>
    "VALUE a 0 5\r\nEND\r\n\r\nVALUE b 0 0 7\r\n\r\nEND\r\nSTORED\r\nEND\r\n"
  );
  await using proxy = await startFaultProxy(server);
  await using client = new RawClient(proxy);
  proxy.onReply = (_, { index }) => index === 0 ? "drop" : undefined;
  client.send("get a b\r\n");
  await client.received("STORED\r\nEND\r\n");
  assertEquals(proxy.counters.replies, 3);
});

for (const how of ["reset", "end"] as const) {
  Deno.test(`FaultProxy lets a client see a ${how} when told to, when idle, and at the start`, async () => {
    await using server = await startEcho();
    await using proxy = await startFaultProxy(server);
    {
      await using client = new RawClient(proxy);
      client.send("echo one\r\n");
      await client.received("one\r\n");
      if (how === "reset") proxy.resetAll();
      else proxy.endAll();
      await client.until(() => client.end === how);
    }
    {
      proxy.idleTimeout = { after: 30, by: how };
      await using client = new RawClient(proxy);
      client.send("echo one two\r\n");
      await client.received("one\r\ntwo\r\n");
      await client.until(() => client.end === how);
      proxy.idleTimeout = undefined;
    }
    {
      proxy.newConnections = how;
      await using client = new RawClient(proxy);
      await client.until(() => client.end === how);
    }
  });
}

Deno.test("FaultProxy keeps open connections silent and new ones working when silenced", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  await using before = new RawClient(proxy);
  before.send("echo one\r\n");
  await before.received("one\r\n");
  proxy.silence();
  before.send("echo two\r\n");
  await using after = new RawClient(proxy);
  after.send("echo three\r\n");
  await after.received("three\r\n");
  await before.received("one\r\n");
  assertEquals(before.end, "open");
});

Deno.test("FaultProxy resets a connection after so many bytes of the client", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  proxy.resetAfterBytes = 1000;
  await using client = new RawClient(proxy);
  client.send("echo one\r\n");
  await client.received("one\r\n");
  client.send("x".repeat(1000));
  await client.until(() => client.end === "reset");
});

Deno.test("FaultProxy refuses connections until it listens again, on the same port", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  const { port } = proxy;
  await proxy.refuse();
  {
    await using client = new RawClient(proxy);
    await client.until(() => client.end === "reset");
  }
  await proxy.listen();
  assertEquals(proxy.port, port);
  await using client = new RawClient(proxy);
  client.send("echo one\r\n");
  await client.received("one\r\n");
});

Deno.test("FaultProxy counts connections, round trips, replies and bytes", async () => {
  await using server = await startEcho();
  await using proxy = await startFaultProxy(server);
  {
    await using client = new RawClient(proxy);
    client.send("echo one two\r\n");
    await client.received("one\r\ntwo\r\n");
    client.send("echo three\r\n");
    await client.received("one\r\ntwo\r\nthree\r\n");
    assertEquals(proxy.open, 1);
    assertEquals(proxy.counters, {
      opened: 1,
      roundTrips: 2,
      replies: 3,
      bytesFromClients: 26,
      bytesFromServer: 17,
    });
  }
  for (let i = 0; i < 1000 && proxy.open > 0; i++) await sleep(2);
  assertEquals(proxy.open, 0);
  proxy.resetCounters();
  assertEquals(proxy.counters.opened, 0);
});

Deno.test("FaultProxy forwards bytes as they come when it is raw", async () => {
  await using server = await startScriptedServer(() => "no line end");
  await using proxy = await startFaultProxy(server, { raw: true });
  await using client = new RawClient(proxy);
  client.send("x\r\n");
  await client.received("no line end");
  assertLess(proxy.counters.replies, 1);
});
