// The paths of the app.

import { get, post, route } from "@remix-run/fetch-router/routes";

/** Requests of a visitor, which load the session and save it. */
export const visitorRoutes = route({
  home: get("/"),
  login: post("/login"),
  logout: post("/logout"),
  add: post("/cart"),
  empty: post("/cart/empty"),
  slow: post("/slow"),
});

/** The same as `add`, with the habits of other storages: the last save wins. */
export const lastSaveWins = post("/cart/last-save-wins");

/** What the page looks at in the background. None of it saves the session. */
export const backgroundRoutes = route({
  page: get("/background/page"),
  status: get("/background/status"),
  batch: get("/background/batch/:batch"),
  assets: get("/assets/:name"),
});

/** The buttons that are about the demo and not about the visitor. */
export const controlRoutes = route({
  server: post("/servers/:index/:action"),
  visitors: post("/visitors/:action"),
});
