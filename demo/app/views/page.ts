// The page as a whole. Its parts have ids, by which the script in the browser
// brings them up to date.

import { html, type SafeHtml } from "@remix-run/html-template";
import { accountView, slowView } from "./account.ts";
import { burstView, cartView } from "./cart.ts";
import { figuresView, logView, visitorsView } from "./figures.ts";
import { appsView, noticeView } from "./header.ts";
import type { PageModel, StatusModel } from "./model.ts";
import { placeView } from "./place.ts";
import { rollingView } from "./rolling.ts";
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
            <p>Two app processes, three memcached servers, one session: yours.</p>
          </div>
          ${appsView(model)}
        </header>
        ${noticeView(model)}
        <main>
          ${stepsView(model)} ${moreView(model)}
        </main>
        <footer>
          <p>Ctrl-C in the terminal ends the demo and all that it started.</p>
        </footer>
      </body>
    </html>
  `;
}

/** What to try, in this order. */
function stepsView(model: PageModel): SafeHtml {
  return html`
    <ol class="steps">
      <li class="step" aria-labelledby="step-1">
        <h2 id="step-1">Log in</h2>
        <div class="do">
          <p>Either app process knows you then: switch between them above.</p>
          ${accountView(model)}
        </div>
        <div class="effect">${placeView(model)}</div>
      </li>
      <li class="step" aria-labelledby="step-2">
        <h2 id="step-2">Send fifty requests at once</h2>
        <div class="do">${burstView(model)}</div>
        <div class="effect">${cartView(model)}</div>
      </li>
      <li class="step" aria-labelledby="step-3">
        <h2 id="step-3">Restart a server</h2>
        <div class="do wide">
          <p>
            Each session is on two of the three servers. Kill one and go on: you
            stay logged in. Start it: it comes back empty, and the app processes
            fill it again.
          </p>
          ${serversView(model)} ${rollingView(model)}
        </div>
        <div class="effect wide">${logView(model)}</div>
      </li>
    </ol>
  `;
}

/** What else there is to try and to see. */
function moreView(model: PageModel): SafeHtml {
  return html`
    <div class="more">
      <section aria-labelledby="slow-title">${slowView()}</section>
      <section aria-labelledby="visitors-title">
        <h2 id="visitors-title">Put it under load</h2>
        ${visitorsView(model)}
      </section>
    </div>
    <section class="figures" aria-labelledby="figures-title">
      <h2 id="figures-title">Both app processes have counted</h2>
      ${figuresView(model)}
    </section>
  `;
}

/** The parts of the page that change by themselves. */
export function statusView(model: StatusModel): SafeHtml {
  const views = [
    appsView,
    placeView,
    serversView,
    rollingView,
    figuresView,
    visitorsView,
    logView,
  ];
  return html`${views.map((view) => view(model))}`;
}
