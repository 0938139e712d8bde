// Which names stand for servers, and which answers are believed.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { parseServerAddress } from "../../../src/client/server_address.ts";
import {
  type DnsLookups,
  lookUpServers,
  parseServerSource,
} from "../../../src/client/server_source.ts";

const CONNECTION = {
  tls: undefined,
  username: undefined,
  password: undefined,
  timeout: 1000,
};

function dnsOf(
  answer: Partial<{ hosts: string[]; services: [string, number][] }>,
): DnsLookups {
  const { hosts = [], services = [] } = answer;
  return {
    addresses: () => Promise.resolve(hosts.map((address) => ({ address }))),
    services: () => {
      return Promise.resolve(services.map(([name, port]) => ({ name, port })));
    },
  };
}

async function namesBy(name: string, dns: DnsLookups): Promise<string[]> {
  const source = parseServerSource(name, "servers[0]")!;
  const servers = await lookUpServers(source, CONNECTION, dns);
  return servers.map((server) => server.name);
}

Deno.test("parseServerSource() names the source without its credentials", () => {
  const names = [
    "dns+cache",
    "dns+cache:11212",
    "dns+memcaches://app:secret@cache",
    "dnssrv+_memcache._tcp.cache.example.com",
    "auto+cache.cfg.use1.cache.amazonaws.com:11211",
  ].map((server) => parseServerSource(server, "servers[0]")?.name);
  assertEquals(names, [
    "dns+cache:11211",
    "dns+cache:11212",
    "dns+cache:11211",
    "dnssrv+_memcache._tcp.cache.example.com",
    "auto+cache.cfg.use1.cache.amazonaws.com:11211",
  ]);
});

Deno.test("parseServerSource() leaves single servers alone", () => {
  for (const server of ["cache", "/run/dns+x", "127.0.0.1:1", undefined]) {
    assertEquals(parseServerSource(server, "servers[0]"), undefined);
  }
});

Deno.test("parseServerSource() refuses a path, and a port that DNS tells", () => {
  assertThrows(
    () => parseServerSource("dns+/run/memcached.sock", "servers[1]"),
    TypeError,
    "'servers[1]' must name a host after 'dns+'",
  );
  assertThrows(
    () => parseServerSource("dnssrv+cache:11211", "servers[1]"),
    TypeError,
    "have no port after 'dnssrv+'",
  );
});

Deno.test("createMemcacheClient() refuses a configuration endpoint as a server", () => {
  const host = "sessions.abc123.cfg.use1.cache.amazonaws.com";
  assertThrows(
    () => createMemcacheClient([host]),
    TypeError,
    `be "auto+${host}:11211" to find all nodes`,
  );
});

Deno.test("lookUpServers() finds all addresses, each once and in order", async () => {
  const dns = dnsOf({ hosts: ["10.0.0.3", "10.0.0.1", "::1", "10.0.0.3"] });
  const names = await namesBy("dns+cache:11212", dns);
  assertEquals(names, ["10.0.0.1:11212", "10.0.0.3:11212", "[::1]:11212"]);
});

Deno.test("lookUpServers() finds each server once when all have two addresses", async () => {
  const hosts = ["10.0.0.2", "10.0.0.1", "fd00::2", "fd00::1", "10.0.0.2"];
  const names = await namesBy("dns+cache", dnsOf({ hosts }));
  assertEquals(names, ["10.0.0.1:11211", "10.0.0.2:11211"]);
  const ipv6 = await namesBy("dns+cache", dnsOf({ hosts: ["fd00::2"] }));
  assertEquals(ipv6, ["[fd00::2]:11211"]);
});

Deno.test("lookUpServers() finds services with their ports", async () => {
  const dns = dnsOf({ services: [["b.cache.", 1001], ["a.cache", 1000]] });
  const names = await namesBy("dnssrv+cache", dns);
  assertEquals(names, ["a.cache:1000", "b.cache:1001"]);
});

Deno.test("lookUpServers() hands down TLS and credentials", async () => {
  const source = parseServerSource("dns+memcaches://app:secret@cache", "it")!;
  const dns = dnsOf({ hosts: ["10.0.0.1"] });
  const [server] = await lookUpServers(source, CONNECTION, dns);
  assertEquals(server, {
    ...parseServerAddress("10.0.0.1", "it"),
    tls: true,
    username: "app",
    password: "secret",
  });
});

Deno.test("lookUpServers() does not believe an empty or absurd answer", async () => {
  const many = Array.from(
    { length: 1001 },
    (_, i) => `10.0.${i >> 8}.${i & 255}`,
  );
  for (const hosts of [[], ["0.0.0.0"], ["10.0.0.1", "::"], many]) {
    const lookup = namesBy("dns+cache", dnsOf({ hosts }));
    await assertRejects(() => lookup, Error, "the client ignores its answer");
  }
  for (const [host, port] of [["a", 0], ["a", 65_536], ["a b", 1]] as const) {
    const lookup = namesBy("dnssrv+cache", dnsOf({ services: [[host, port]] }));
    await assertRejects(() => lookup, Error, "the client ignores its answer");
  }
});
