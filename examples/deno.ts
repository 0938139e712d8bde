// Serves the app on Deno:
//
//   COOKIE_SECRET=... deno run --allow-net --allow-env deno.ts

import { router, storage } from "./app.ts";

const server = Deno.serve((request) => router.fetch(request));

// A container is stopped with SIGTERM: finish the requests, then disconnect.
Deno.addSignalListener("SIGTERM", async () => {
  await server.shutdown();
  await storage.close();
});
