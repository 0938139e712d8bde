// Who the visitor is, and the slow request to log out in the middle of.

import { html, type SafeHtml } from "@remix-run/html-template";
import type { PageModel } from "./model.ts";

/** Logging in and out. */
export function accountView({ user, unreachable }: PageModel): SafeHtml {
  if (unreachable) {
    return html`
      <div id="account">
        <p>Your session is out of reach.</p>
      </div>
    `;
  }
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

/** A request slow enough to log out in the middle of it. */
export function slowView(): SafeHtml {
  return html`<form method="post" action="/slow" id="slow">
  <h2 id="slow-title">Log out during a slow request</h2>
  <p>It loads the session, takes five seconds, and saves. Log out before then,
    above or in another tab: you stay logged out.</p>
  <button>Start the slow request</button>
  <output id="slow-result"></output>
</form>`;
}
