// Finds ports of the loopback interface that nothing listens on.

import { createServer } from "node:net";

// Below the ports that systems hand out to outgoing connections, so that a port
// stays free while its server is down.
const LOWEST = 10_000;
const HIGHEST = 32_000;
const ATTEMPTS = 100;

/** Picks a free port by trying to listen on it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port found in ${ATTEMPTS} attempts`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
