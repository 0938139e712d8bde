import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  parseServerAddress,
  type ServerAddress,
} from "../../../src/client/server_address.ts";

function parse(server: unknown): ServerAddress {
  return parseServerAddress(server, "servers[1]");
}

/** Addresses, and what is not as for plain TCP without credentials. */
const ADDRESSES: [string, Partial<ServerAddress>][] = [
  ["memcache", {
    name: "memcache:11211",
    ringName: "memcache",
    endpoint: { host: "memcache", port: 11211 },
  }],
  ["memcache.example.com:11212", {
    name: "memcache.example.com:11212",
    ringName: "memcache.example.com:11212",
    endpoint: { host: "memcache.example.com", port: 11212 },
  }],
  // A ring knows servers by name: as npm memcached has it, the default port is
  // left out and case is kept.
  ["Memcache:11211", {
    name: "Memcache:11211",
    ringName: "Memcache",
    endpoint: { host: "Memcache", port: 11211 },
  }],
  ["10.0.0.1:80", {
    name: "10.0.0.1:80",
    ringName: "10.0.0.1:80",
    endpoint: { host: "10.0.0.1", port: 80 },
  }],
  ["[::1]", {
    name: "[::1]:11211",
    ringName: "[::1]",
    endpoint: { host: "::1", port: 11211 },
  }],
  ["[2001:db8::1]:65535", {
    name: "[2001:db8::1]:65535",
    ringName: "[2001:db8::1]:65535",
    endpoint: { host: "2001:db8::1", port: 65535 },
  }],
  ["memcache://host", {
    name: "host:11211",
    ringName: "host",
    endpoint: { host: "host", port: 11211 },
  }],
  ["memcache://host:443/", {
    name: "host:443",
    ringName: "host:443",
    endpoint: { host: "host", port: 443 },
  }],
  ["memcaches://host", {
    name: "host:11211",
    ringName: "host",
    endpoint: { host: "host", port: 11211 },
    tls: true,
  }],
  ["memcache://app:p%40ss%3A%C3%A4%20%25@[::1]:1", {
    name: "[::1]:1",
    ringName: "[::1]:1",
    endpoint: { host: "::1", port: 1 },
    username: "app",
    password: "p@ss:ä %",
  }],
  ["memcaches://app:secret@host", {
    name: "host:11211",
    ringName: "host",
    endpoint: { host: "host", port: 11211 },
    tls: true,
    username: "app",
    password: "secret",
  }],
  ["/run/memcached.sock", {
    name: "/run/memcached.sock",
    ringName: "/run/memcached.sock",
    endpoint: { path: "/run/memcached.sock" },
  }],
  ["unix:/run/mem cached.sock", {
    name: "/run/mem cached.sock",
    ringName: "/run/mem cached.sock",
    endpoint: { path: "/run/mem cached.sock" },
  }],
];

const BAD_ADDRESSES = [
  "",
  " ",
  "/",
  "unix:",
  "unix:relative.sock",
  "/nul\0byte",
  ":11211",
  "host:",
  "host:0",
  "host:65536",
  "host:99999",
  "host:-1",
  "host:1.5",
  "host:http",
  "host:1:2",
  "::1",
  "::1:11211",
  "[::1",
  "[::g]",
  "[]",
  "ho st",
  "host\r\n",
  "host/path",
  "host?query",
  "host#hash",
  "host,other",
  "a..b:\\",
  "http://host",
  "redis://host:6379",
  "memcache:host",
  "memcache://",
  "memcache://host/path",
  "MEMCACHE://host",
  "tcp:host",
];

const BAD_LOGINS = [
  "admin:secret@host",
  "memcache://admin@host",
  "memcache://admin:@host",
  "memcache://:secret@host",
  "memcache://admin:secret@",
  "memcache://admin:secret@ho st",
  "memcache://admin:secret@host:99999",
  "memcache://admin:se@cret@host",
  "memcache://admin:se/cret@host",
  "memcache://admin:secret%@host",
  "memcache://admin:secret%zz@host",
  "memcache://admin:secret%ff@host",
  "memcache://admin:secret%0d%0aflush_all@host",
  "memcache://admin%20x:secret@host",
  "memcache://admin:secret%00@host",
];

Deno.test("parseServerAddress() reads every form", () => {
  for (const [server, parts] of ADDRESSES) {
    const expected = { name: "", ringName: "", tls: false, ...parts };
    assertEquals<unknown>(parse(server), expected, server);
  }
});

Deno.test("parseServerAddress() hints at what may be wrong when the mistake is a common one", () => {
  const hints = {
    "": "is an environment variable not set?",
    "one:11211,two:11211": "give each server an entry of its own",
    " host": "it contains a space",
    "::1": "an IPv6 address needs brackets: [::1]",
    "fe80::1:11211": "an IPv6 address needs brackets: [::1]",
    "host:99999": "ports are 1 to 65535",
    "host:0": "ports are 1 to 65535",
    "one:1;two:2": "give each server an entry of its own",
    "memcached://host": "use memcache:// instead",
    "tcp://host:11211": "use memcache:// instead",
    "redis://host:6379": "use memcache:// instead",
    "tls://host": "for TLS, use memcaches://",
    ":11211": "the host is missing",
    "11211": "a port needs a host: localhost:11211",
    "host:11211:2": "this client does not support weights",
    "[fe80::1%lo]": "this client does not support IPv6 zones",
  };
  for (const [server, hint] of Object.entries(hints)) {
    const { message } = assertThrows(() => parse(server), TypeError);
    assert(message.endsWith(` ${JSON.stringify(server)} (${hint})`), message);
  }
  const { message } = assertThrows(() => parse("http://host"), TypeError);
  assert(message.endsWith(`current value is "http://host"`), message);
});

Deno.test("parseServerAddress() names the address and the valid forms when it is invalid", () => {
  for (const server of BAD_ADDRESSES) {
    const { message } = assertThrows(() => parse(server), TypeError);
    const start =
      `Cannot create Memcache client as 'servers[1]' must be "host", "host:port", "[::1]:port", "memcache://host:port", "memcaches://host:port" (TLS), "/path/to.sock" or "unix:/path/to.sock": current value is ${
        JSON.stringify(server)
      }`;
    assert(message.startsWith(start), message);
  }
});

Deno.test("parseServerAddress() does not show credentials when they are invalid", () => {
  for (const server of BAD_LOGINS) {
    const error = assertThrows(() => parse(server), TypeError);
    assert(error.message.endsWith("current value is one with an '@'"), server);
    assert(!Deno.inspect(error).includes("secret"), server);
    assert(!Deno.inspect(error).includes("admin"), server);
  }
});

Deno.test("parseServerAddress() hints at environment variables when the address is not a string", () => {
  const start =
    "Cannot create Memcache client as 'servers[1]' must be a string: current value is ";
  const values: [unknown, string][] = [
    [undefined, "undefined (is an environment variable not set?)"],
    [null, "null"],
    [11211, "number"],
    [{ host: "host" }, "object"],
    [new URL("memcache://app:secret@host"), "object"],
  ];
  for (const [value, shown] of values) {
    const { message } = assertThrows(() => parse(value), TypeError);
    assertEquals(message, start + shown);
  }
});

Deno.test("parseServerAddress() keeps credentials out of the server's names", () => {
  const { name, ringName } = parse("memcache://app:secret@host:1");
  assertEquals([name, ringName], ["host:1", "host:1"]);
});
