// The figures: requests, conflicts, outages, and the results of the simulated
// visitors.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { DemoEvent, VisitorsState } from "../../state.ts";
import type { StatusModel } from "./model.ts";

/** The figures of both app processes together. */
export function figuresView({ state: { figures } }: StatusModel): SafeHtml {
  const { hits, misses, median, percentile95 } = figures;
  const found = hits + misses === 0 ? "–" : `${hits} of ${hits + misses}`;
  return html`<dl id="figures" class="tiles">
  ${tile("Requests a second", figures.perSecond)}
  ${tile("Latency, median", milliseconds(median))}
  ${tile("Latency, p95", milliseconds(percentile95))}
  ${tile("Sessions found", found, "for the cookies that came")}
  ${tile("Conflicts merged", figures.merged, "saves that met another save")}
  ${
    tile(
      "Late saves refused",
      figures.refused,
      "the session had been logged out while the request ran",
    )
  }
  ${
    tile(
      "Outages noticed",
      figures.outages,
      "a process found a server not answering",
    )
  }
  ${
    tile(
      "Without a session",
      figures.unserved,
      "served so, as no server that holds it answered",
    )
  }
</dl>`;
}

/** The figures of the simulated visitors. */
export function visitorsView({ state: { visitors } }: StatusModel): SafeHtml {
  const here = visitors.present > 0;
  return html`<div id="visitors">
  <p>Twenty simulated visitors log in and fill carts through both processes.
    Kill or restart servers while they are there.</p>
  <form method="post" action="/visitors/${here ? "leave" : "come"}">
    <button>${here ? "Send them home" : "Let them come"}</button>
  </form>
  ${visitors.requests > 0 ? visitorTiles(visitors) : ""}
</div>`;
}

function visitorTiles(visitors: VisitorsState): SafeHtml {
  return html`<dl class="tiles">
    ${tile("Not served", `${visitors.unserved} of ${visitors.requests}`)}
    ${tile("Logged out", visitors.loggedOut)}
    ${tile("Things lost", visitors.lost)}
    ${tile("Slowest answer", milliseconds(visitors.slowest || undefined))}
  </dl>`;
}

/** What has happened lately. */
export function logView({ state: { events } }: StatusModel): SafeHtml {
  const lines = events.length > 0
    ? events.map(eventView)
    : html`<li>What happens to the servers is told here.</li>`;
  return html`<ol id="log" role="log" aria-label="Log">${lines}</ol>`;
}

function eventView({ id, time, text }: DemoEvent): SafeHtml {
  const clock = new Date(time).toLocaleTimeString("en-GB");
  return html`<li id="event-${id}"><time>${clock}</time> ${text}</li>`;
}

function tile(
  label: string,
  value: string | number,
  explanation?: string,
): SafeHtml {
  return html`
    <div>
      <dt>${label}</dt>
      <dd>${value}</dd>
      ${explanation ? html`<dd class="explanation">${explanation}</dd>` : ""}
    </div>
  `;
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
