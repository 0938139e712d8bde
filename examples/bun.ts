// Serves the app on Bun:
//
//   bun bun.ts 127.0.0.1:11211

import process from "node:process";
import { createApp } from "./app.ts";

const app = createApp(process.argv.slice(2));

export default {
  port: Number(process.env.PORT ?? 8000),
  fetch: (request: Request): Promise<Response> => app.fetch(request),
};
