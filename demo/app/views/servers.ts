// The memcached servers: their states, what they hold of the session, and the buttons
// that kill, freeze and restart them.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { StatusModel } from "./model.ts";

/** All servers. */
export function serversView(model: StatusModel): SafeHtml {
  const views = model.state.servers.map((_, index) => serverView(model, index));
  return html`<ul id="servers">${views}</ul>`;
}

function serverView(model: StatusModel, index: number): SafeHtml {
  const { state, places } = model;
  const { name, status, pid } = state.servers[index];
  const place = places[index];
  const number = index + 1;
  const caution = cautionOf(model, index);
  const isBusy = state.rolling !== undefined && !state.rolling.done;
  const button = (action: string, label: string, isOff = false) => {
    return buttonView(index, action, label, isOff || isBusy);
  };
  return html`
    <li id="server-${number}" class="${place.record ? "holder" : ""}">
      <h3>Server ${number} <span class="${status}">${status}</span></h3>
      <p class="holding">${holding(model, index)}</p>
      <p class="detail">
        <code>${name}</code>
        <span>${pid ? `process ${pid}` : "no process"}</span>
      </p>
      ${caution ? html`<p class="caution">${caution}</p>` : ""}
      <form method="post" class="row">
        ${status === "stopped"
          ? button("start", "Start")
          : button("kill", "Kill")} ${status === "frozen"
          ? button("resume", "Resume")
          : button("freeze", "Freeze", status === "stopped")}
      </form>
    </li>
  `;
}

function buttonView(
  index: number,
  action: string,
  label: string,
  disabled: boolean,
): SafeHtml {
  return html`
    <button formaction="/servers/${index}/${action}"
      aria-label="${label} server ${index + 1}"
      ${disabled ? html.raw`disabled` : null}>${label}</button>
  `;
}

/** What the buttons of a server would cost, when that is more than a copy. */
function cautionOf(
  { state: { servers, sessions }, places }: StatusModel,
  index: number,
): string | undefined {
  const others = servers.filter((_, other) => other !== index);
  const areUp = others.every(({ status }) => status === "running");
  if (servers[index].status !== "running" || areUp) return undefined;
  const hasOther = places.some(({ record }, other) => {
    return other !== index && record !== undefined;
  });
  if (places[index].record !== undefined && !hasOther) {
    return "The only copy of your session that is left. Kill this server, and you are logged out.";
  }
  return sessions.perServer[index] > 0
    ? "A server is down already: some sessions may have their only copy here."
    : undefined;
}

function holding({ state, places }: StatusModel, index: number): string {
  const { status } = state.servers[index];
  const { role, record } = places[index];
  const count = state.sessions.perServer[index] ?? 0;
  if (status === "stopped") return "Holds nothing";
  if (status === "frozen") return "Answers nothing";
  if (record) {
    return count > 1
      ? `Holds yours and ${count - 1} more`
      : "Holds your session";
  }
  if (role !== "other") return "Your session belongs here, and is on its way";
  if (count === 0) return "Holds no session";
  return `Holds ${count} ${count === 1 ? "session" : "sessions"}, not yours`;
}
