// Serves the app on Deno, with the network as its only permission:
//
//   deno run --allow-net deno.ts 127.0.0.1:11211

import { createApp } from "./app.ts";

const app = createApp(Deno.args);

Deno.serve((request) => app.fetch(request));
