// Sources: names by which the client looks up servers. A source stands for all
// addresses of a host (`dns+`), the services of a DNS name (`dnssrv+`), or the nodes
// that a configuration endpoint lists (`auto+`).

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

/** The ways to look servers up. */
export type SourceKind = "dns" | "dnssrv" | "auto";

/** A name that stands for servers. */
export interface ServerSource {
  /** The source as it was named in `servers`, without credentials. */
  name: string;
  kind: SourceKind;
  /**
   * The address to query; its credentials and TLS apply to all servers of the
   * source.
   */
  address: ServerAddress & { endpoint: { host: string; port: number } };
}

/** The DNS functions: the runtime's own, except in tests. */
export interface DnsLookups {
  addresses(host: string): Promise<Pick<LookupAddress, "address">[]>;
  services(name: string): Promise<Pick<SrvRecord, "name" | "port">[]>;
}

/** The DNS functions of the runtime. */
export const systemDns: DnsLookups = {
  addresses: (host) => {
    return getBuiltinModule("node:dns").promises.lookup(host, { all: true });
  },
  services: (name) => {
    return getBuiltinModule("node:dns").promises.resolveSrv(name);
  },
};

/** The client ignores an answer with more servers than this. */
const MAX_SERVERS = 1000;
const SOURCE_FORM = /^(dns|dnssrv|auto)\+(.*)$/s;
/**
 * Matches AWS ElastiCache's configuration endpoint, which resolves to changing
 * nodes.
 */
const CONFIGURATION_ENDPOINT =
  /\.cfg\.[a-z0-9-]+\.cache\.amazonaws\.com(?:\.cn)?\.?$/i;
/**
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoDiscovery.AddingToYourClientLibrary.html
 */
const CLUSTER_ANSWER =
  /^CONFIG cluster \d+ \d+\r?\n\s*\d+\r?\n([^\r\n]*)\r?\n\s*END\r?\n/;

/**
 * Parses a source; returns `undefined` if the entry names one server. `what`
 * names it in errors.
 */
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
 * Refuses an address that stands for a different node at each connection.
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
 * Looks up the servers that a source stands for now, in an order on which all
 * processes agree.
 *
 * @throws {Error} If the lookup fails, or its answer is not credible.
 */
export async function lookUpServers(
  source: ServerSource,
  options: Omit<AdminConnectionOptions, "address">,
  dns: DnsLookups,
): Promise<ServerAddress[]> {
  const found = await FIND[source.kind](source, options, dns);
  const names = found.map(({ host, port }) => check(source, host, port));
  const distinct = oneOfEach([...new Set(names)].sort());
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

/** Parses an answer to `config get cluster`, where each node is `host|ip|port`. */
function parseCluster(answer: string): Found[] {
  const [, nodes = ""] = CLUSTER_ANSWER.exec(answer) ?? [];
  return nodes.split(" ").filter((node) => node !== "").map((node) => {
    const [host, ip, port] = node.split("|");
    return { host: host || ip, port: Number(port) };
  });
}

/**
 * Returns the name of a server that a lookup found; throws if no server can
 * have it.
 */
function check(source: ServerSource, host: string, port: number): string {
  const isNowhere = host === "0.0.0.0" || host === "::";
  const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
  if (isNowhere || !isPort || !/^[\w.:-]+$/.test(host ?? "")) {
    throw unbelievable(source, "an address that no server can have");
  }
  return toServerName(isIP(host) === 6 ? `[${host}]` : host, port);
}

/**
 * Returns one name of each server. As many IPv6 addresses as IPv4 addresses are those
 * of servers with both: listed twice, one server would hold two copies of a session.
 */
function oneOfEach(names: string[]): string[] {
  const ipv4 = names.filter((name) => isIP(name.split(":")[0]) === 4);
  const ipv6 = names.filter((name) => name.startsWith("["));
  const haveBoth = ipv4.length === ipv6.length &&
    ipv4.length + ipv6.length === names.length;
  return haveBoth ? ipv4 : names;
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
