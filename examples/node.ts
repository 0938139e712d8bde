// Serves the app on Node 22.18 or newer, which runs TypeScript as it is:
//
//   node node.ts 127.0.0.1:11211

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createRequestListener } from "@remix-run/node-fetch-server";
import { createApp } from "./app.ts";

const app = createApp(process.argv.slice(2));
const listener = createRequestListener((request) => app.fetch(request));

const server = createServer(listener).listen(process.env.PORT ?? 8000, () => {
  const { port } = server.address() as AddressInfo;
  console.log(`Listening on http://localhost:${port}/`);
});
