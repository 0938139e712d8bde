// One process of the app. It is told its configuration on standard input, and
// ends when that ends, which is when the process that started it does.

import { createCookie } from "@remix-run/cookie";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import type { AppConfig } from "../state.ts";
import { connectControl } from "./control_client.ts";
import { FigureCounter } from "./figures.ts";
import { PageModels } from "./page_models.ts";
import { createApp } from "./router.ts";

const SERVER_TIMEOUT = 500;

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .getReader();
const config: AppConfig = JSON.parse((await lines.read()).value!);
lines.read().then(() => Deno.exit());
// Ctrl-C reaches every process of the terminal; this one ends with its input.
Deno.addSignalListener("SIGINT", () => {});

const client = createMemcacheClient(config.servers, {
  timeout: SERVER_TIMEOUT,
});
const options = {
  client,
  ttl: config.ttl,
  prefix: config.prefix,
  copies: config.copies,
  whenUnavailable: "ephemeral",
} as const;
const storage = createMemcacheSessionStorage(options);
const cookie = createCookie("demo_session", {
  secrets: [config.secret],
  httpOnly: true,
  sameSite: "Lax",
  maxAge: config.ttl,
  // The demo is served over plain HTTP; an app in production sets `secure`.
});
const figures = new FigureCounter(config);
const control = await connectControl(config, figures);

Deno.serve(
  { hostname: "127.0.0.1", port: config.port, onListen: () => {}, onError },
  createApp({
    origins: config.origins,
    cookie,
    storage,
    overwritingStorage: createMemcacheSessionStorage({
      ...options,
      conflicts: "overwrite",
    }),
    models: new PageModels({
      app: config.name,
      cookie,
      storage,
      client,
      prefix: config.prefix,
      copies: config.copies,
      control,
    }),
    control,
    figures,
  }),
);

function onError(error: unknown): Response {
  const left = error instanceof DOMException && error.name === "AbortError";
  if (!left) console.error(`App ${config.name}:`, error);
  return new Response("Something went wrong\n", { status: 500 });
}
