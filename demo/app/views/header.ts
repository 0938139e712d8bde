// The top of the page: which app process serves it, and what it has to say.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { AppState } from "../../state.ts";
import type { PageModel, StatusModel } from "./model.ts";

const UNREACHABLE =
  "None of the servers that hold your session answers. You are not logged out: " +
  "your cookie stays, and the session is back when a server is.";

/** The app processes, with the one that serves this page marked. */
export function appsView({ app, state: { apps } }: StatusModel): SafeHtml {
  return html`<nav id="apps" aria-label="App processes">
${apps.map((other) => appView(other, other.name === app))}
</nav>`;
}

/** The message of this request. */
export function noticeView({ unreachable, message }: PageModel): SafeHtml {
  return html`<p id="notice" role="status" class="${
    unreachable ? "warning" : ""
  }">${unreachable ? UNREACHABLE : message}</p>`;
}

function appView({ name, origin, pid }: AppState, current: boolean): SafeHtml {
  const mark = current ? html.raw`aria-current="page"` : null;
  return html`<a href="${origin}/" ${mark}>App ${name}
<small>${pid ? `process ${pid}` : "starting"}</small></a>`;
}
