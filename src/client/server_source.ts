// Names that stand for servers which are to be looked up: all addresses of a host
// (`dns+`), the services of a DNS name (`dnssrv+`), the nodes that a configuration
// endpoint lists (`auto+`).

import type { LookupAddress, SrvRecord } from "node:dns";
import { isIP } from "node:net";
import { getBuiltinModule } from "node:process";
import {
  AdminConnection,
  type AdminConnectionOptions,
} from "./admin_connection.ts";
import { MemcacheServerError } from "./errors.ts";
import {
  parseServerAddress,
  type ServerAddress,
  toServerName,
} from "./server_address.ts";

/** How servers are looked up. */
export type SourceKind = "dns" | "dnssrv" | "auto";

/** A name that stands for servers. */
export interface ServerSource {
  /** The source as it was named in `servers`, without credentials. */
  name: string;
  kind: SourceKind;
  /** What is asked, and what its servers have in common: credentials, TLS. */
  address: ServerAddress & { endpoint: { host: string; port: number } };
}

/** Asks DNS; the runtime's own functions, except in tests. */
export interface DnsLookups {
  addresses(host: string): Promise<Pick<LookupAddress, "address">[]>;
  services(name: string): Promise<Pick<SrvRecord, "name" | "port">[]>;
}

/** What the system and its name servers answer. */
export const systemDns: DnsLookups = {
  addresses: (host) => {
    return getBuiltinModule("node:dns").promises.lookup(host, { all: true });
  },
  services: (name) => {
    return getBuiltinModule("node:dns").promises.resolveSrv(name);
  },
};

/** More servers than this are no answer to be believed. */
const MAX_SERVERS = 1000;
const SOURCE_FORM = /^(dns|dnssrv|auto)\+(.*)$/s;
/** The endpoint of AWS ElastiCache that lists nodes, and is another one each time. */
const CONFIGURATION_ENDPOINT =
  /\.cfg\.[a-z0-9-]+\.cache\.amazonaws\.com(?:\.cn)?\.?$/i;
/** https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoDiscovery.AddingToYourClientLibrary.html */
const CLUSTER_ANSWER =
  /^CONFIG cluster \d+ \d+\r?\n\s*\d+\r?\n([^\r\n]*)\r?\n\s*END\r?\n/;

/** Reads a source; `undefined` for what names one server. `what` is for errors. */
export function parseServerSource(
  server: unknown,
  what: string,
): ServerSource | undefined {
  if (typeof server !== "string") return undefined;
  const [, kind, rest] = SOURCE_FORM.exec(server) ?? [];
  if (kind === undefined) return undefined;
  const address = parseServerAddress(rest, what);
  const { endpoint } = address;
  if (!("host" in endpoint)) {
    refuse(what, `name a host after '${kind}+'`, "a path");
  }
  if (kind === "dnssrv" && /:\d+\/?$/.test(rest)) {
    const must = "have no port after 'dnssrv+': DNS tells the ports";
    refuse(what, must, JSON.stringify(address.name));
  }
  const shown = kind === "dnssrv" ? endpoint.host : address.name;
  return {
    name: `${kind}+${shown}`,
    kind: kind as SourceKind,
    address: { ...address, endpoint },
  };
}

/**
 * Refuses an address that stands for another node each time.
 *
 * @throws {TypeError} If it does.
 */
export function refuseConfigurationEndpoint(
  { endpoint, name }: ServerAddress,
  what: string,
): void {
  const host = "host" in endpoint ? endpoint.host : "";
  if (!CONFIGURATION_ENDPOINT.test(host)) return;
  const must = `name a node, or be "auto+${name}" to find all nodes`;
  refuse(what, must, `the configuration endpoint "${name}"`);
}

/**
 * Looks up the servers that a source stands for now, in an order that all
 * processes agree on.
 *
 * @throws {Error} If the lookup fails, or its answer is not to be believed.
 */
export async function lookUpServers(
  source: ServerSource,
  options: Omit<AdminConnectionOptions, "address">,
  dns: DnsLookups,
): Promise<ServerAddress[]> {
  const found = await FIND[source.kind](source, options, dns);
  const names = found.map(({ host, port }) => check(source, host, port));
  const distinct = [...new Set(names)].sort();
  if (distinct.length === 0) throw unbelievable(source, "no server");
  if (distinct.length > MAX_SERVERS) {
    throw unbelievable(source, `${distinct.length} servers`);
  }
  const { tls, username, password } = source.address;
  return distinct.map((name) => {
    const address = parseServerAddress(name, source.name);
    return { ...address, tls, username, password };
  });
}

interface Found {
  host: string;
  port: number;
}

const FIND: Record<
  SourceKind,
  (
    source: ServerSource,
    options: Omit<AdminConnectionOptions, "address">,
    dns: DnsLookups,
  ) => Promise<Found[]>
> = {
  async dns({ address: { endpoint } }, _options, dns) {
    const addresses = await dns.addresses(endpoint.host);
    return addresses.map(({ address }) => {
      return { host: address, port: endpoint.port };
    });
  },
  async dnssrv({ address: { endpoint } }, _options, dns) {
    const services = await dns.services(endpoint.host);
    return services.map(({ name, port }) => {
      return { host: name.replace(/\.$/, ""), port };
    });
  },
  async auto({ name, address }, options) {
    const ask = (connection: AdminConnection) => {
      const isComplete = (text: string) => text.endsWith("END\r\n");
      return connection.ask("config get cluster", isComplete);
    };
    const asked = AdminConnection.use({ ...options, address }, ask);
    const answer = await asked.catch((error) => {
      if (!(error instanceof MemcacheServerError)) throw error;
      throw new MemcacheServerError(
        `Memcache server ${address.name} is not a configuration endpoint, although '${name}' says so; name it without 'auto+'`,
        { server: address.name, cause: error },
      );
    });
    return parseCluster(answer);
  },
};

/** The nodes in an answer to `config get cluster`, each `host|ip|port`. */
function parseCluster(answer: string): Found[] {
  const [, nodes = ""] = CLUSTER_ANSWER.exec(answer) ?? [];
  return nodes.split(" ").filter((node) => node !== "").map((node) => {
    const [host, ip, port] = node.split("|");
    return { host: host || ip, port: Number(port) };
  });
}

/** The name of a server that was found, if that can be one. */
function check(source: ServerSource, host: string, port: number): string {
  const isNowhere = host === "0.0.0.0" || host === "::";
  const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
  if (isNowhere || !isPort || !/^[\w.:-]+$/.test(host ?? "")) {
    throw unbelievable(source, "an address that no server can have");
  }
  return toServerName(isIP(host) === 6 ? `[${host}]` : host, port);
}

function unbelievable({ name }: ServerSource, what: string): Error {
  return new MemcacheServerError(
    `The lookup of '${name}' found ${what}; the client ignores its answer`,
    { server: name },
  );
}

function refuse(what: string, must: string, current: string): never {
  throw new TypeError(
    `Cannot create Memcache client as '${what}' must ${must}: current value is ${current}`,
  );
}
