import {
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  MemcacheProtocolError,
  MemcacheServerError,
} from "../../../src/client/errors.ts";
import {
  type CommandKind,
  outcomeOf,
} from "../../../src/client/pending_command.ts";
import type { Reply } from "../../../src/client/reply_parser.ts";

const SERVER = "memcache.example.com:11211";

function replyOf(code: string, message = ""): Reply {
  const value = code === "VA" ? Buffer.from("value") : undefined;
  return { code, opaque: 1, cas: 7, size: 5, ttl: 60, value, message };
}

function outcome(kind: CommandKind, code: string, message?: string): unknown {
  return outcomeOf(kind, replyOf(code, message), SERVER);
}

const CODES = ["HD", "VA", "EN", "NS", "EX", "NF", "MN", "OK", "", "X"];

/** What each code means; any other does not fit the command. */
const OUTCOMES: Record<CommandKind, Record<string, unknown>> = {
  get: { VA: { value: Buffer.from("value"), cas: 7 }, EN: undefined },
  peek: { VA: { value: Buffer.from("value"), cas: 7, ttl: 60 }, EN: undefined },
  set: { HD: undefined },
  add: { HD: true, NS: false },
  touch: { HD: true, EN: false },
  delete: { HD: true, NF: false },
  compareAndSet: { HD: "stored", EX: "exists", NF: "not_found" },
  probe: { EN: true, HD: false },
};

for (const [name, outcomes] of Object.entries(OUTCOMES)) {
  const kind = name as CommandKind;
  Deno.test(`outcomeOf() reads what fits '${kind}', and throws at the rest`, () => {
    for (const code of CODES) {
      if (Object.hasOwn(outcomes, code)) {
        assertEquals(outcome(kind, code), outcomes[code]);
        continue;
      }
      const error = assertThrows(
        () => outcome(kind, code),
        MemcacheProtocolError,
        `gave an answer that does not fit the command '${kind}'`,
      );
      assertEquals(error.server, SERVER);
    }
  });

  Deno.test(`outcomeOf() throws when the server refused '${kind}'`, () => {
    for (const code of ["SERVER_ERROR", "CLIENT_ERROR"]) {
      const error = assertThrows(
        () => outcome(kind, code, "out of memory storing object"),
        MemcacheServerError,
      );
      assertEquals(
        error.message,
        `Memcache server ${SERVER} refused the command: ${code} out of memory storing object`,
      );
      assertEquals(error.server, SERVER);
    }
    for (const code of ["ERROR", "STORED", "VALUE", "HDx"]) {
      assertThrows(
        () => outcome(kind, code, "a-secret-value"),
        MemcacheProtocolError,
        `Memcache server ${SERVER} gave an answer that is none`,
      );
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

Deno.test("outcomeOf() tells no expiry from the last second of a 'peek'", () => {
  const ttls = [-1, 0, 1].map((ttl) => {
    const reply = { ...replyOf("VA"), ttl };
    return (outcomeOf("peek", reply, SERVER) as { ttl: number }).ttl;
  });
  assertEquals(ttls, [0, 1, 1]);
});
