// Keeps other sites' pages away from this one's buttons, and lets the page of
// one app process send requests to the other.

import type { Middleware } from "@remix-run/fetch-router";

/** Answers requests that come from, or by way of, these origins only. */
export function onlyFrom(origins: string[]): Middleware {
  const hosts = origins.map((origin) => new URL(origin).host);
  return async ({ request, headers }, next) => {
    if (!hosts.includes(headers.get("Host") ?? "")) {
      return new Response(`Open ${origins[0]}\n`, { status: 403 });
    }
    const origin = headers.get("Origin");
    if (origin === null) return await next();
    if (!origins.includes(origin)) {
      return new Response("Not from another site\n", { status: 403 });
    }
    const response = await next();
    if (new URL(request.url).origin === origin) return response;
    const shared = new Response(response.body, response);
    shared.headers.set("Access-Control-Allow-Origin", origin);
    shared.headers.set("Access-Control-Allow-Credentials", "true");
    shared.headers.append("Vary", "Origin");
    return shared;
  };
}
