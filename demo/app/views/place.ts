// Where the session is kept, and how long it has left.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { StatusModel } from "./model.ts";

/** The session's place. Its `data-version` changes when the session does. */
export function placeView({ id, places, state }: StatusModel): SafeHtml {
  const versions = places.map(({ record }) => record?.version ?? "-");
  const numbers = places.flatMap(({ record }, index) =>
    record ? [index + 1] : []
  );
  const isUnknown = places.some(({ role }, index) => {
    return role !== "other" && state.servers[index].status === "frozen";
  });
  const seconds = places.flatMap(({ record }) => record?.secondsLeft ?? []);
  return html`
    <dl id="place" data-version="${[id, ...versions].join(" ")}">
      ${fact("Session", id ? html`<code>${id}…</code>` : "none yet")}
      ${id ? fact("Kept on", servers(numbers, isUnknown)) : ""}
      ${seconds.length > 0 ? fact("Time left", minutes(seconds)) : ""}
    </dl>
  `;
}

function fact(label: string, value: string | SafeHtml): SafeHtml {
  return html`
    <div>
      <dt>${label}</dt>
      <dd>${value}</dd>
    </div>
  `;
}

function servers(numbers: number[], isUnknown: boolean): string {
  if (numbers.length === 0) return isUnknown ? "unknown" : "no server";
  return `server${numbers.length > 1 ? "s" : ""} ${numbers.join(" and ")}`;
}

function minutes(seconds: number[]): string {
  const most = Math.max(...seconds);
  return `${Math.floor(most / 60)}:${String(most % 60).padStart(2, "0")}`;
}
