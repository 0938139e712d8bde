// Serves the app on Bun:
//
//   COOKIE_SECRET=... bun bun.ts

import process from "node:process";
import { router, storage } from "./app.ts";

// Or install @types/bun.
declare const Bun: {
  serve(options: {
    port: number;
    fetch(request: Request): Promise<Response>;
  }): { url: URL; stop(): Promise<void> };
};

const server = Bun.serve({
  port: Number(process.env.PORT ?? 8000),
  fetch: (request) => router.fetch(request),
});
console.log(`Listening on ${server.url}`);

// A container is stopped with SIGTERM: finish the requests, then disconnect.
process.once("SIGTERM", async () => {
  await server.stop();
  await storage.close();
});
