// The whole demo: three memcached servers, two processes of one app, and what
// holds them together.

import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import { repair } from "@remix/session-storage-memcache/operations";
import { freePort } from "../tools/free_port.ts";
import { AppProcess } from "./app_process.ts";
import { serveControls } from "./control_server.ts";
import { DemoControls } from "./controls.ts";
import { DemoServer } from "./servers.ts";
import { SessionCounter } from "./session_counter.ts";
import { Visitors } from "./visitors.ts";

const SERVERS = 3;
const TTL = 15 * 60;
const PREFIX = "session:";
const COPIES = 2;

/** A running demo. */
export interface Demo extends AsyncDisposable {
  /** Where the two app processes serve the page; either will do. */
  readonly origins: string[];
  /** The three memcached servers. */
  readonly servers: DemoServer[];
  /** Settles when an app process has ended, which none should. */
  readonly failed: Promise<void>;
}

/** Starts everything; disposing of the result ends everything. */
export async function startDemo(): Promise<Demo> {
  await using starting = new AsyncDisposableStack();
  const servers: DemoServer[] = [];
  while (servers.length < SERVERS) {
    servers.push(starting.use(await DemoServer.create()));
  }
  const ports = { A: await freePort(), B: await freePort() };
  const origins = Object.values(ports)
    .map((port) => `http://127.0.0.1:${port}`);
  const visitors = new Visitors(origins);
  const names = Object.keys(ports);
  const controls = starting.use(
    new DemoControls({
      servers,
      apps: names.map((name, index) => ({ name, origin: origins[index] })),
      visitors,
      counter: starting.use(new SessionCounter(servers, PREFIX)),
      repair: starting.use(openRepair(servers)).repair,
    }),
  );
  const control = starting.use(serveControls(controls));
  const config = {
    origins,
    servers: servers.map((server) => server.state.name),
    secret: crypto.randomUUID(),
    ttl: TTL,
    prefix: PREFIX,
    copies: COPIES,
    control: { url: control.url, token: control.token },
  };
  const apps: AppProcess[] = [];
  for (const [name, port] of Object.entries(ports)) {
    apps.push(starting.use(await AppProcess.start({ ...config, name, port })));
  }
  starting.use(visitors);

  const running = starting.move();
  return {
    origins,
    servers,
    failed: Promise.race(apps.map((app) => app.ended)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What brings every session back to two servers, as the command line does. */
function openRepair(servers: DemoServer[]) {
  const client = createMemcacheClient(servers.map(({ state }) => state.name));
  return {
    async repair(): Promise<void> {
      // A server that has just been started may not be reached yet.
      await repair(client, { copies: COPIES, prefix: PREFIX }).catch(() => {});
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
