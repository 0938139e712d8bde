// The app: which path does what, and the session around it.

import type { Cookie } from "@remix-run/cookie";
import { createRouter, type Middleware } from "@remix-run/fetch-router";
import type { SafeHtml } from "@remix-run/html-template";
import { Session } from "@remix-run/session";
import { session } from "@remix-run/session-middleware";
import type { MemcacheSessionStorage } from "@remix/session-storage-memcache";
import { asset } from "./assets.ts";
import { countBatch } from "./cart.ts";
import type { ControlClient } from "./control_client.ts";
import type { FigureCounter } from "./figures.ts";
import { onlyFrom } from "./guard.ts";
import type { PageModels } from "./page_models.ts";
import * as routes from "./routes.ts";
import { pageView, statusView } from "./views/page.ts";
import { wantsData } from "./wants_data.ts";
import { tellUnsaved } from "./unsaved.ts";
import * as visitor from "./visitor_actions.ts";

/** What the app is made of. */
export interface AppParts {
  /** The origins of all app processes. */
  origins: string[];
  /** The session cookie. */
  cookie: Cookie;
  /** The storage. */
  storage: MemcacheSessionStorage;
  /** The same sessions, saved without regard for other requests. */
  overwritingStorage: MemcacheSessionStorage;
  /** Collects what the page shows. */
  models: PageModels;
  /** Passes on what the buttons ask for. */
  control: ControlClient;
  /** Counts requests. */
  figures: FigureCounter;
}

const UNSAVED =
  "No server answers: nothing was saved. Try again when a server is back.";

/** Returns the app as a function from a request to its response. */
export function createApp(
  parts: AppParts,
): (request: Request) => Promise<Response> {
  const { cookie, storage, overwritingStorage, models, control, figures } =
    parts;
  const router = createRouter({ middleware: [onlyFrom(parts.origins)] });

  const reachable: Middleware = async (
    { method, request, headers, get },
    next,
  ) => {
    const loaded = get(Session);
    if (method === "GET" || !storage.isEphemeral(loaded)) return await next();
    // Whoever asks for something to be done must not be told that it was.
    if (wantsData(headers)) return new Response(null, { status: 503 });
    return page(pageView(await models.page(request, loaded)), 503);
  };

  router.map(routes.visitorRoutes, {
    middleware: [
      counted(figures),
      tellUnsaved(async ({ request, headers }) => {
        if (wantsData(headers)) return new Response(null, { status: 503 });
        return page(pageView(await models.pageWith(UNSAVED, request)), 503);
      }),
      session(cookie, figures.countReads(storage)),
      reachable,
    ],
    actions: {
      home: async ({ request, get }) =>
        page(pageView(await models.page(request, get(Session)))),
      login: visitor.login,
      logout: visitor.logout,
      add: visitor.add,
      empty: visitor.empty,
      slow: visitor.slow,
    },
  });
  router.map(routes.lastSaveWins, {
    middleware: [counted(figures), session(cookie, overwritingStorage)],
    handler: visitor.add,
  });
  router.map(routes.backgroundRoutes, {
    actions: {
      page: async ({ request }) =>
        page(pageView(await models.pageWith(undefined, request))),
      status: async ({ request }) => {
        const status = await models.status(request);
        return wantsData(request.headers)
          ? Response.json(status)
          : page(statusView(status));
      },
      batch: async ({ request, params }) =>
        Response.json(countBatch(await models.session(request), params.batch)),
      assets: ({ params }) => asset(params.name),
    },
  });
  router.map(routes.controlRoutes, {
    actions: {
      server: ({ params }) => act(`servers/${params.index}/${params.action}`),
      visitors: ({ params }) => act(`visitors/${params.action}`),
    },
  });

  async function act(path: string): Promise<Response> {
    const found = await control.act(path);
    if (!found) return new Response("No such action", { status: 404 });
    return new Response(null, { status: 303, headers: { Location: "/" } });
  }
  return (request) => router.fetch(request);
}

/** Counts a request with how long it took, the session's part included. */
function counted(figures: FigureCounter): Middleware {
  return async (context, next) => {
    const start = performance.now();
    const response = await next();
    if (context.url.pathname !== routes.visitorRoutes.slow.href()) {
      figures.addRequest(performance.now() - start);
    }
    return response;
  };
}

function page(content: SafeHtml, status = 200): Response {
  return new Response(String(content), {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
    },
  });
}
