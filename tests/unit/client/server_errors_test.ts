import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  MemcacheAuthenticationError,
  MemcacheConnectionError,
} from "../../../src/client/errors.ts";
import { socketError } from "../../../src/client/server_errors.ts";

const SERVER = "memcache.example.com:11211";

function causeOf(code: string, message = code): Error & { code?: string } {
  return Object.assign(new Error(message), { code });
}

Deno.test("socketError() says what may be wrong when a connection cannot be made", () => {
  const hints: [Error & { code?: string }, secure: boolean, hint: string][] = [
    [causeOf("ECONNREFUSED"), false, "; is memcached running?"],
    [causeOf("ENOENT"), false, "; is memcached running?"],
    [causeOf("EPERM"), false, `; run Deno with --allow-net=${SERVER}`],
    [
      causeOf("ECONNRESET"),
      false,
      "; if it speaks TLS, name it as memcaches://",
    ],
    [
      causeOf("EPROTO", "wrong version number SSL"),
      true,
      "; does it speak TLS? If not, name it as memcache:// instead of memcaches://",
    ],
    [causeOf("EHOSTUNREACH"), false, ""],
  ];
  for (const [cause, secure, hint] of hints) {
    const error = socketError(SERVER, cause, false, secure);
    assertInstanceOf(error, MemcacheConnectionError);
    assertEquals(
      error.message,
      `The connection to Memcache server ${SERVER} cannot be made (${cause.code})${hint}`,
    );
    assertEquals(error.cause, cause);
    // After the handshake, the same failures get no hint.
    const later = socketError(SERVER, cause, true, secure);
    assertEquals(
      later.message,
      `The connection to Memcache server ${SERVER} was lost (${cause.code})`,
    );
  }
});

Deno.test("socketError() names the paths when a permission is missing for a unix socket", () => {
  const { message } = socketError(
    "/run/m.sock",
    causeOf("EPERM"),
    false,
    false,
  );
  assertEquals(
    message.endsWith("--allow-read=/run/m.sock --allow-write=/run/m.sock"),
    true,
  );
});

Deno.test("socketError() tells an expired certificate from one that is not trusted", () => {
  const causes: [Error & { code?: string }, says: string][] = [
    [causeOf("CERT_HAS_EXPIRED"), "has expired, or is not valid yet"],
    [
      causeOf("", "invalid peer certificate: Expired"),
      "has expired, or is not valid yet",
    ],
    [
      causeOf("SELF_SIGNED_CERT_IN_CHAIN"),
      "is not trusted; pass its authority",
    ],
    [causeOf("", "invalid peer certificate: UnknownIssuer"), "is not trusted"],
  ];
  for (const [cause, says] of causes) {
    const error = socketError(SERVER, cause, false, true);
    assertInstanceOf(error, MemcacheAuthenticationError);
    assertEquals(error.message.includes(says), true, error.message);
  }
});
