// Serves the app on Node 24.3 or newer, the versions that Remix runs on:
//
//   COOKIE_SECRET=... node node.ts

import { createServer } from "node:http";
import process from "node:process";
import { createRequestListener } from "remix/node-fetch-server";
import { router, storage } from "./app.ts";

const listener = createRequestListener((request) => router.fetch(request));
const port = process.env.PORT ?? 8000;
const server = createServer(listener).listen(port, () => {
  console.log(`Listening on http://localhost:${port}/`);
});

// A container is stopped with SIGTERM: finish the requests, then disconnect.
process.once("SIGTERM", () => server.close(() => storage.close()));
