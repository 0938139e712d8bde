// One fault at a time: what a request sees when a reply is dropped, doubled, cut
// or followed by another, and that nobody is given what is not theirs.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import {
  type Outcome,
  outcomeOf,
  timeUntilSuccess,
  until,
} from "../../support/outcome.ts";
import { ownValue, versionOf } from "../../support/own_value.ts";
import { randomFrom } from "../../support/random.ts";
import type { ReplyFault } from "../../support/reply_fault.ts";
import { report } from "../../support/report.ts";
import {
  answerFrom,
  startScriptedServer,
} from "../../support/scripted_server.ts";

const SESSIONS = Array.from({ length: 64 }, (_, i) => `session:${i}`);
const TIMEOUT = 800;

interface Case {
  name: string;
  fault: (reply: Buffer) => ReplyFault;
  /** What the request sees that was meant; nothing where the fault is harmless. */
  sees?: new (...args: never[]) => Error;
}

const inValue = (reply: Buffer) => reply.indexOf("\r\n") + 5;

const CASES: Case[] = [
  { name: "dropped", fault: () => "drop", sees: MemcacheProtocolError },
  { name: "doubled", fault: () => "duplicate", sees: MemcacheProtocolError },
  {
    name: "swapped with the next one",
    fault: () => "swap",
    sees: MemcacheProtocolError,
  },
  { name: "held back until the next one", fault: () => "hold" },
  { name: "delayed within the deadline", fault: () => ({ delay: 30 }) },
  {
    name: "delayed past the deadline",
    fault: () => ({ delay: 3 * TIMEOUT }),
    sees: MemcacheTimeoutError,
  },
  {
    name: "cut inside its value by a FIN",
    fault: (reply) => ({ cutAt: inValue(reply), then: "end" }),
    sees: MemcacheConnectionError,
  },
  {
    name: "cut inside its value by a reset",
    fault: (reply) => ({ cutAt: inValue(reply), then: "reset" }),
    sees: MemcacheConnectionError,
  },
  {
    name: "cut inside its value by silence",
    fault: (reply) => ({ cutAt: inValue(reply), then: "silence" }),
    sees: MemcacheTimeoutError,
  },
  {
    name: "missing the end of its value",
    // Few enough bytes that no other reply can end where this one was to end.
    fault: (reply) => ({ cutAt: reply.length - 5, then: "next" }),
    sees: MemcacheProtocolError,
  },
  {
    name: "preceded by garbage",
    fault: () => ({ before: "\x00\xff\r\n\x80garbage\n" }),
    sees: MemcacheProtocolError,
  },
  {
    name: "followed by a line of garbage",
    fault: () => ({ after: "what?\r\n" }),
    sees: MemcacheProtocolError,
  },
  {
    name: "preceded by an unsolicited miss",
    fault: () => ({ before: "EN\r\n" }),
    sees: MemcacheProtocolError,
  },
  {
    name: "followed by an unsolicited value",
    fault: () => ({ after: "VA 9 c1 O1\r\nsession:0\r\n" }),
    sees: MemcacheProtocolError,
  },
  {
    name: "a success without a token",
    fault: () => ({ instead: "HD\r\n" }),
    sees: MemcacheProtocolError,
  },
  {
    name: "in chunks of 3 bytes",
    fault: () => ({ chunk: 3 }),
  },
];

for (const { name, fault, sees } of CASES) {
  // In the midst of replies, the first of a burst (a connection that was idle
  // until then) and the last one (nothing behind it tells that it is missing).
  for (
    const [where, position] of Object.entries({
      middle: 10,
      first: 0,
      last: 63,
    })
  ) {
    Deno.test(`get() never returns a wrong value when the ${where} reply is ${name}`, async () => {
      await using server = await startMemcached();
      await using proxy = await startFaultProxy(server);
      await using client = createMemcacheClient([proxy.address], {
        timeout: TIMEOUT,
      });
      await Promise.all(
        SESSIONS.map((key, i) => client.set(key, ownValue(key, i))),
      );
      assertEquals(errorsOf(await readAll(client)).length, 0);

      let met = 0;
      let values = 0;
      proxy.onReply = (reply) => {
        // Before 1.6.18 there are receipts between them.
        if (!reply.toString().startsWith("VA ")) return undefined;
        if (values++ !== position) return undefined;
        met++;
        return fault(reply);
      };
      const errors = errorsOf(await readAll(client));
      assertEquals(met, 1);

      const backAfter = await timeUntilSuccess(
        () => client.get(SESSIONS[0]),
        1000,
      );
      assertLess(backAfter, 1000);
      assertEquals(errorsOf(await readAll(client)).length, 0);
      if (where !== "middle") return;
      if (sees === undefined) {
        assertEquals(errors.length, 0);
        assertEquals(proxy.counters.opened, 1);
      } else {
        assert(errors.length > 0);
        const [culprit, ...bystanders] = errors;
        // Before 1.6.18 it may be the reply to a receipt, for which nobody waits.
        const { cause } = culprit;
        assertInstanceOf(
          cause instanceof MemcacheError ? cause : culprit,
          sees,
        );
        // The others have lost a connection: that is an outage.
        const kind = sees === MemcacheProtocolError
          ? MemcacheConnectionError
          : sees;
        for (const error of bystanders) assertInstanceOf(error, kind);
        assertEquals(proxy.counters.opened, 2);
      }
      report(`a reply is ${name}`, {
        sees: sees === undefined
          ? "its own value"
          : `${sees.name} (${errors.length} of 64 in flight)`,
        backAfter,
      });
    });
  }
}

const SURPLUS = ["HD\r\n", "EN O1\r\n", "\r\n", "\0\n", "SERVER_ERROR x\r\n"];

Deno.test("client ends an idle connection at once when unsolicited bytes arrive", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  for (const [i, bytes] of SURPLUS.entries()) {
    await client.set("key", bytes);
    assertEquals(proxy.counters.opened, i + 1);
    proxy.inject(bytes);
    await until(() => proxy.open === 0, 100);
    assertEquals(textOf(await client.get("key")), bytes);
  }
});

Deno.test("get() resolves with its own value or rejects when a request crosses unsolicited bytes", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  for (const bytes of SURPLUS) {
    await client.set("key", bytes);
    proxy.inject(bytes);
    const { value, error } = await outcomeOf(() => client.get("key"));
    if (error === undefined) assertEquals(textOf(value), bytes);
    else assertInstanceOf(error, MemcacheError);
    await timeUntilSuccess(() => client.get("key"), 1000);
    assertEquals(textOf(await client.get("key")), bytes);
  }
});

Deno.test("set() never resolves when the server refused it and replies are dropped or swapped", async () => {
  const random = randomFrom(10);
  const items = new Map<string, string>();
  const answer = answerFrom(items);
  await using server = await startScriptedServer((request) =>
    request.key.startsWith("refused")
      ? "SERVER_ERROR out of memory storing object\r\n"
      : answer(request)
  );
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], { timeout: 50 });
  proxy.onReply = (_, { index }) =>
    index > 0 && random() < 0.01
      ? random.pick<ReplyFault>(["drop", "duplicate", "swap", "hold"])
      : undefined;
  let stored = 0;
  let refused = 0;
  let failed = 0;
  for (let round = 0; round < 200; round++) {
    const keys = SESSIONS.map((_, i) =>
      `${random() < 0.3 ? "refused" : "taken"}-${round}-${i}`
    );
    await Promise.all(keys.map(async (key) => {
      const { error } = await outcomeOf(() => client.set(key, "value"));
      if (error === undefined) {
        assert(items.has(key), "resolved, but the server has not stored it");
        stored++;
      } else if (error instanceof MemcacheServerError) refused++;
      else failed++;
    }));
    await until(() => client.servers[0].isUp, 1000);
  }
  console.log(
    `measured | writes under reply faults: ${stored} stored, ${refused} refused, ${failed} failed otherwise, none reported wrongly`,
  );
  assert(stored > 1000 && refused > 1000 && failed > 1000);
});

async function readAll(
  client: MemcacheClient,
): Promise<Outcome<number | undefined>[]> {
  return await Promise.all(SESSIONS.map((key, i) =>
    outcomeOf(async () => {
      const item = await client.get(key);
      assert(item !== undefined, "a miss, although the session is there");
      assertEquals(versionOf(key, item.value), i, "not the session's value");
      return i;
    })
  ));
}

/** The client's errors; a wrong value is thrown. */
function errorsOf(outcomes: Outcome<unknown>[]): Error[] {
  const errors = outcomes.flatMap(({ error }) => error ? [error] : []);
  for (const error of errors) {
    if (!/^Memcache/.test(error.name)) throw error;
  }
  return errors;
}

function textOf(item: { value: Uint8Array } | undefined): string | undefined {
  return item && Buffer.from(item.value).toString();
}

Deno.test("get() resolves with no value that came with the handshake, whatever its token", async () => {
  for (const token of ["O0", "O1", "O2"]) {
    await using server = await startMemcached();
    await using proxy = await startFaultProxy(server);
    proxy.onReply = (_, { index, connection }) => {
      const after = `VA 5 c1 ${token}\r\nother\r\n`;
      return index === 0 && connection === 0 ? { after } : undefined;
    };
    await using client = createMemcacheClient([proxy.address]);
    const { value } = await outcomeOf(() => client.get("key"));
    assertEquals(value, undefined);
  }
});

Deno.test("calls reject when the handshake is answered with another command's token", async () => {
  await using server = await startScriptedServer(() => "EN O7\r\n");
  await using client = createMemcacheClient([server.address]);
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheProtocolError);
});
