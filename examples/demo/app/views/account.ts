// Who the visitor is, where the session is kept, and the slow request.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { PageModel, StatusModel } from "./model.ts";

/** Logging in and out. */
export function accountView({ user }: PageModel): SafeHtml {
  if (user === undefined) {
    return html`<div id="account">
  <form method="post" action="/login" class="row">
    <label for="name">Name</label>
    <input id="name" name="name" autocomplete="off" maxlength="40" required>
    <button class="primary">Log in</button>
  </form>
</div>`;
  }
  return html`<div id="account">
  <form method="post" action="/logout" class="row">
    <p>Logged in as <strong>${user}</strong></p>
    <button>Log out</button>
  </form>
</div>`;
}

/** Where the session is kept, and how long it has left. */
export function placeView({ id, places }: StatusModel): SafeHtml {
  const kept = places
    .map(({ record }, index) => ({ record, number: index + 1 }))
    .filter(({ record }) => record !== undefined);
  const seconds = Math.max(...kept.map(({ record }) => record!.secondsLeft));
  const versions = places.map(({ record }) => record?.version ?? "-");
  return html`
    <dl id="place" data-version="${[id, ...versions].join(" ")}">
      <div>
        <dt>Session</dt>
        <dd>${id ? html`<code>${id}…</code>` : "none yet"}</dd>
      </div>
      <div>
        <dt>Kept on</dt>
        <dd>${kept.length === 0
          ? "no server"
          : kept.map(({ number }) => `server ${number}`).join(" and ")}</dd>
      </div>
      <div>
        <dt>Time left</dt>
        <dd>${kept.length === 0 ? "–" : minutes(seconds)}</dd>
      </div>
    </dl>
  `;
}

/** A request slow enough to log out in the middle of it. */
export function slowView(): SafeHtml {
  return html`<form method="post" action="/slow" id="slow">
  <h3>Log out during a slow request</h3>
  <p>It loads the session, takes five seconds, and saves. Log out meanwhile,
    here or in another tab: you stay logged out.</p>
  <button>Start the slow request</button>
  <output id="slow-result"></output>
</form>`;
}

function minutes(seconds: number): string {
  const rest = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)}:${rest}`;
}
