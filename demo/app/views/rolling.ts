// The restart of all servers: its button, and how many sessions it has kept.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { RollingState, SessionsState } from "../../state.ts";
import type { StatusModel } from "./model.ts";

/** The button, and its effect beside it. */
export function rollingView({ state }: StatusModel): SafeHtml {
  const { rolling, sessions, servers } = state;
  const areUp = servers.every(({ status }) => status === "running");
  const canStart = areUp && (rolling?.done ?? true);
  return html`<form method="post" action="/servers/all/restart" id="rolling">
  <div>
    <button ${
    canStart ? null : html.raw`disabled`
  }>Restart all three, one after the other</button>
    <p>As an upgrade of memcached does. Each server is filled before the next
      one is restarted.</p>
  </div>
  <div role="status" class="rolling">
    <p>${countView(sessions)}</p>
    ${rolling ? progressView(rolling) : ""}
  </div>
</form>`;
}

function countView({ total, onTwo }: SessionsState): SafeHtml {
  if (total === 0) return html`No session yet`;
  const noun = total === 1 ? "session" : "sessions";
  return html`<b>${total}</b> ${noun} now, <b>${onTwo}</b> on two servers`;
}

function progressView({ server, before, kept, done }: RollingState): SafeHtml {
  const at = done
    ? "All three were restarted"
    : `Server ${server} of 3 is being restarted`;
  const lost = before - kept;
  const result = before === 0
    ? "there was no session to keep"
    : `${kept} of ${before} ${
      before === 1 ? "session" : "sessions"
    } kept, ${lost} lost`;
  return html`<p class="${
    lost > 0 ? "bad" : done ? "good" : ""
  }">${at}: ${result}.</p>`;
}
