import {
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  type CommandKind,
  commandRules,
  plainCommand,
} from "../../../src/client/command.ts";
import {
  isUnavailable,
  MemcacheBackendError,
  MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
} from "../../../src/client/errors.ts";
import { outcomeOf, OutOfStep } from "../../../src/client/reply_outcome.ts";
import type { Reply } from "../../../src/client/reply_parser.ts";

const SERVER = "memcache.example.com:11211";

function replyOf(code: string, parts: Partial<Reply> = {}): Reply {
  const value = code === "VA" ? Buffer.from("value") : undefined;
  return {
    code,
    opaque: 1,
    cas: 7,
    size: 5,
    ttl: 60,
    value,
    isBorrowed: true,
    message: "",
    ...parts,
  };
}

function outcome(kind: CommandKind, code: string, message = ""): unknown {
  return outcomeOf(
    plainCommand(kind, "key"),
    replyOf(code, { message }),
    SERVER,
  );
}

/** The error of a command, and whether its connection is of no more use. */
function failure(call: () => unknown): [error: Error, isOutOfStep: boolean] {
  try {
    call();
  } catch (error) {
    return error instanceof OutOfStep
      ? [error.error, true]
      : [error as Error, false];
  }
  throw new Error("nothing was thrown");
}

const CODES = ["HD", "VA", "EN", "NS", "EX", "NF", "MN", "OK", "", "X"];

/** What each code means; any other does not fit the command. */
const OUTCOMES: Record<CommandKind, Record<string, unknown>> = {
  get: {
    VA: { value: new Uint8Array(Buffer.from("value")), cas: 7 },
    EN: undefined,
  },
  peek: {
    VA: { value: new Uint8Array(Buffer.from("value")), cas: 7, ttl: 60 },
    EN: undefined,
  },
  set: { HD: undefined },
  add: { HD: true, NS: false },
  touch: { HD: true, EN: false },
  delete: { HD: true, NF: false },
  compareAndSet: { HD: "stored", EX: "exists", NF: "not_found" },
  probe: { MN: true },
  receipt: { HD: true, NF: false },
};

for (const [name, outcomes] of Object.entries(OUTCOMES)) {
  const kind = name as CommandKind;
  Deno.test(`outcomeOf() reads what fits '${kind}', and throws at the rest`, () => {
    for (const code of CODES) {
      if (Object.hasOwn(outcomes, code)) {
        assertEquals(outcome(kind, code), outcomes[code]);
        continue;
      }
      const [error, isOutOfStep] = failure(() => outcome(kind, code));
      assertInstanceOf(error, MemcacheProtocolError);
      assertStringIncludes(
        error.message,
        `gave an answer that does not fit the command '${kind}'`,
      );
      assertEquals([error.server, isOutOfStep], [SERVER, true]);
    }
  });

  Deno.test(`outcomeOf() throws when the server refused '${kind}'`, () => {
    for (const code of ["SERVER_ERROR", "CLIENT_ERROR"]) {
      const [error, isOutOfStep] = failure(() =>
        outcome(kind, code, "out of memory storing object")
      );
      assertInstanceOf(error, MemcacheServerError);
      assertEquals(
        error.message,
        `Memcache server ${SERVER} refused the command: ${code} out of memory storing object`,
      );
      assertEquals(error.server, SERVER);
      assertEquals(isUnavailable(error), false);
      // After a refused line its value may have been taken for commands.
      assertEquals(isOutOfStep, code === "CLIENT_ERROR");
    }
    for (const code of ["ERROR", "STORED", "VALUE", "HDx"]) {
      const [error, isOutOfStep] = failure(() =>
        outcome(kind, code, "a-secret-value")
      );
      assertInstanceOf(error, MemcacheProtocolError);
      assertEquals(
        error.message,
        `Memcache server ${SERVER} sent something other than an answer`,
      );
      assertEquals(isOutOfStep, true);
    }
  });
}

Deno.test("outcomeOf() shows nothing of a refusal that may be a key or a value", () => {
  const id = "0b0e7a3c-9d0a-4f9e-8f0a-2f6a3d1c5b7e";
  const secrets = [
    `session:${id}`,
    "session:a1b2",
    id,
    "a1b2c3",
    "session:ann",
    "dead-beef",
    `["{"user":"ann"}",{}]`,
    "abcdefghijklmnopqrstuvwxyz",
    "3f".repeat(32),
  ];
  for (const secret of secrets) {
    for (const message of [`no room for ${secret}, sorry`, secret]) {
      const error = assertThrows(() => outcome("set", "SERVER_ERROR", message));
      assertInstanceOf(error, MemcacheServerError);
      for (const word of secret.split(" ")) {
        assertEquals(error.message.includes(word), false, error.message);
      }
    }
  }
  const error = assertThrows(() => {
    outcome("set", "SERVER_ERROR", "no room (for session:ann), sorry.");
  }) as Error;
  assertStringIncludes(error.message, "SERVER_ERROR no room … … sorry.");
});

Deno.test("outcomeOf() cuts a long refusal", () => {
  const error = assertThrows(() => {
    outcome("set", "SERVER_ERROR", "word ".repeat(1000));
  }) as Error;
  assertEquals(error.message.length < 300, true);
});

Deno.test("outcomeOf() copies a value that shares its bytes, and no other", () => {
  const bytes = Buffer.from("another's value");
  for (const kind of ["get", "peek"] as const) {
    for (const isBorrowed of [true, false]) {
      const value = bytes.subarray(10);
      const reply = replyOf("VA", { value, isBorrowed });
      const item = outcomeOf(plainCommand(kind, "key"), reply, SERVER);
      const own = (item as { value: Uint8Array }).value;
      assertEquals(Buffer.from(own).toString(), "value");
      assertEquals(own.buffer === bytes.buffer, !isBorrowed);
      if (isBorrowed) assertEquals(own.buffer.byteLength, own.byteLength);
    }
  }
});

Deno.test("outcomeOf() gives decode the value as it is, and its call what decode throws", () => {
  const value = Buffer.from("value");
  const seen: Uint8Array[] = [];
  const decoding = plainCommand("get", "key", undefined, (bytes) => {
    seen.push(bytes);
    return bytes.length;
  });
  const reply = replyOf("VA", { value });
  assertEquals(outcomeOf(decoding, reply, SERVER), { value: 5, cas: 7 });
  assertEquals(seen[0] === value, true);
  const [error, isOutOfStep] = failure(() =>
    outcomeOf(
      plainCommand("get", "key", undefined, () => {
        throw new SyntaxError("unreadable");
      }),
      reply,
      SERVER,
    )
  );
  assertInstanceOf(error, SyntaxError);
  assertEquals(isOutOfStep, false);
});

Deno.test("outcomeOf() tells an outage behind a proxy from a refusal", () => {
  const outages = [
    "backend failure",
    "unavailable",
    "Connection refused",
    "Connection timed out",
    "Host is unreachable",
    "connect timeout",
  ];
  for (const message of outages) {
    const [error, isOutOfStep] = failure(() =>
      outcome("get", "SERVER_ERROR", message)
    );
    assertInstanceOf(error, MemcacheBackendError, message);
    assertInstanceOf(error, MemcacheError);
    assertEquals([isUnavailable(error), isOutOfStep], [true, false]);
  }
  for (const message of ["object too large for cache", "out of memory"]) {
    const [error] = failure(() => outcome("get", "SERVER_ERROR", message));
    assertEquals(isUnavailable(error), false, message);
  }
});

Deno.test("outcomeOf() throws that a server keeps no versions when it runs with -C", () => {
  const reply = replyOf("VA", { cas: 0 });
  for (const kind of ["get", "peek"] as const) {
    const [error, isOutOfStep] = failure(() =>
      outcomeOf(plainCommand(kind, "key"), reply, SERVER)
    );
    assertInstanceOf(error, MemcacheProtocolError);
    assertStringIncludes(error.message, "start it without -C");
    assertEquals(isOutOfStep, false);
  }
});

Deno.test("outcomeOf() rejects the call alone when its value was too large, and skipped", () => {
  const reply = replyOf("VA", { value: undefined, size: 5000 });
  const [error, isOutOfStep] = failure(() =>
    outcomeOf(plainCommand("get", "key"), reply, SERVER)
  );
  assertInstanceOf(error, MemcacheProtocolError);
  assertStringIncludes(error.message, "a value of 5000 bytes");
  assertStringIncludes(error.message, "'maxValueBytes'");
  assertEquals(isOutOfStep, false);
});

Deno.test("commandRules say what may be sent twice, and what may miss", () => {
  const kinds = Object.entries(commandRules);
  const names = (has: (rule: typeof commandRules.get) => boolean) =>
    kinds.flatMap(([kind, rule]) => has(rule) ? [kind] : []).sort();
  assertEquals(names(({ canMiss }) => canMiss), ["get", "peek", "touch"]);
  assertEquals(
    names(({ mayRepeat }) => mayRepeat),
    ["get", "peek", "probe", "receipt", "touch"],
  );
});

Deno.test("outcomeOf() tells no expiry from the last second of a 'peek'", () => {
  const ttls = [-1, 0, 1].map((ttl) => {
    const reply = replyOf("VA", { ttl });
    const item = outcomeOf(plainCommand("peek", "key"), reply, SERVER);
    return (item as { ttl: number }).ttl;
  });
  assertEquals(ttls, [0, 1, 1]);
});
