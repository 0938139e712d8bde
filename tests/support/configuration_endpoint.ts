// An endpoint that lists the nodes of a cluster, as those of AWS ElastiCache and
// Google Memorystore do.

import type { MemcachedServer } from "../../tools/memcached.ts";
import { startScriptedServer } from "./scripted_server.ts";

/** A running endpoint. What it lists may change at any time. */
export interface ConfigurationEndpoint extends AsyncDisposable {
  /** The endpoint, as `servers` takes it. */
  readonly source: string;
  /** The nodes, each `host|ip|port`, separated by spaces. */
  nodes: string;
  /** What it answers instead of a list of nodes. */
  answer?: string | undefined;
}

/** Starts an endpoint on a free port of the loopback interface. */
export async function startConfigurationEndpoint(
  nodes: string,
): Promise<ConfigurationEndpoint> {
  const server = await startScriptedServer(({ line }) => {
    if (line !== "config get cluster") return "ERROR\r\n";
    if (endpoint.answer !== undefined) return endpoint.answer;
    const body = `7\n${endpoint.nodes}\n`;
    return `CONFIG cluster 0 ${body.length}\r\n${body}\r\nEND\r\n`;
  });
  const endpoint: ConfigurationEndpoint = {
    source: `auto+${server.address}`,
    nodes,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return endpoint;
}

/** The nodes of a list, by their addresses. */
export function nodesOf(servers: readonly MemcachedServer[]): string {
  return servers.map(({ port }) => `|127.0.0.1|${port}`).join(" ");
}
