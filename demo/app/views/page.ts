// The page as a whole. Its parts have ids, by which the script in the browser
// brings them up to date.

import { html, type SafeHtml } from "@remix-run/html-template";
import { accountView, slowView } from "./account.ts";
import { burstView, cartView } from "./cart.ts";
import { figuresView, logView, visitorsView } from "./figures.ts";
import { appsView, noticeView } from "./header.ts";
import type { PageModel, StatusModel } from "./model.ts";
import { placeView } from "./place.ts";
import { serversView } from "./servers.ts";

/** The whole page. */
export function pageView(model: PageModel): SafeHtml {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Sessions in Memcache</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/assets/page.css">
        <script type="module" src="/assets/page.js"></script>
      </head>
      <body>
        <header>
          <div>
            <h1>Sessions in Memcache</h1>
            <p>Two app processes, three memcached servers, one session.</p>
          </div>
          ${appsView(model)}
        </header>
        ${noticeView(model)}
        <main>
          <div class="column">
            <section aria-labelledby="you">
              <h2 id="you">You</h2>
              ${accountView(model)} ${placeView(model)} ${slowView()}
            </section>
            <section aria-labelledby="cart-title">
              ${cartView(model)} ${burstView(model)}
            </section>
          </div>
          <div class="column">
            <section aria-labelledby="servers-title">
              <h2 id="servers-title">Servers</h2>
              <p>
                Each session is on two of them. Kill or freeze one and go on.
              </p>
              ${serversView(model)}
            </section>
            <section aria-labelledby="figures-title">
              <h2 id="figures-title">Figures</h2>
              ${figuresView(model)}
            </section>
            <section aria-labelledby="visitors-title">
              <h2 id="visitors-title">Other visitors</h2>
              ${visitorsView(model)}
            </section>
          </div>
          <section aria-labelledby="log-title" class="wide">
            <h2 id="log-title">Log</h2>
            ${logView(model)}
          </section>
        </main>
        <footer>
          <p>Ctrl-C in the terminal ends the demo and all that it started.</p>
        </footer>
      </body>
    </html>
  `;
}

/** The parts of the page that change by themselves. */
export function statusView(model: StatusModel): SafeHtml {
  const views = [
    appsView,
    placeView,
    serversView,
    figuresView,
    visitorsView,
    logView,
  ];
  return html`${views.map((view) => view(model))}`;
}
