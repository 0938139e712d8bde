// The memcached servers: how they are, what they hold of the session, and the
// buttons that do them harm and good.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { ServerState, ServerStatus } from "../../state.ts";
import type { Place } from "../session_place.ts";
import type { StatusModel } from "./model.ts";

/** All servers. */
export function serversView({ state, places }: StatusModel): SafeHtml {
  const views = state.servers.map((server, index) =>
    serverView(server, places[index], index)
  );
  return html`<ul id="servers">${views}</ul>`;
}

function serverView(
  { name, status, pid }: ServerState,
  place: Place,
  index: number,
): SafeHtml {
  const number = index + 1;
  return html`
    <li id="server-${number}" class="${place.record ? "holder" : ""}">
      <h3>Server ${number} <span class="${status}">${status}</span></h3>
      <p class="holding">${holding(status, place)}</p>
      <p class="detail">
        <code>${name}</code>
        <span>${pid ? `process ${pid}` : "no process"}</span>
        <span>${recordOf(status, place)}</span>
      </p>
      <form method="post" class="row">
        ${status === "stopped"
          ? buttonView(index, "start", "Start")
          : buttonView(index, "kill", "Kill")} ${status === "frozen"
          ? buttonView(index, "resume", "Resume")
          : buttonView(index, "freeze", "Freeze", status === "stopped")}
      </form>
    </li>
  `;
}

function buttonView(
  index: number,
  action: string,
  label: string,
  disabled = false,
): SafeHtml {
  return html`
    <button formaction="/servers/${index}/${action}"
      aria-label="${label} server ${index + 1}"
      ${disabled ? html.raw`disabled` : null}>${label}</button>
  `;
}

function recordOf(status: ServerStatus, { record }: Place): string {
  if (record) return `record of ${record.bytes} bytes`;
  return status === "frozen" ? "record unknown" : "no record";
}

function holding(status: ServerStatus, { role, record }: Place): string {
  const what = role === "copy" ? "the copy" : "your session";
  if (record) return `Holds ${what}`;
  if (status === "stopped") return "Holds nothing";
  if (status === "frozen") return "Answers nothing";
  return role === "other" ? "Holds other sessions" : `Would hold ${what}`;
}
