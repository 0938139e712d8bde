import { assertEquals } from "@std/assert";
import { socketError } from "../../../src/client/server_errors.ts";

function coded(code: string): Error & { code: string } {
  return Object.assign(new Error(`connect ${code}`), { code });
}

Deno.test("socketError() asks whether memcached is running when nothing listens", () => {
  for (const code of ["ECONNREFUSED", "ENOENT"]) {
    assertEquals(
      socketError("host:11211", coded(code), false, false).message,
      `The connection to Memcache server host:11211 cannot be made (${code}); is memcached running?`,
    );
  }
});

Deno.test("socketError() says which of the two sides does not speak TLS", () => {
  const messages = [
    socketError("host:11211", coded("ECONNRESET"), false, false).message,
    socketError("host:11211", coded("ERR_SSL_X"), false, true).message,
  ];
  assertEquals(messages.map((it) => it.split("; ")[1]), [
    "if it speaks TLS, name it as memcaches://",
    "does it speak TLS? Without, it is memcache:// and not memcaches://",
  ]);
});
