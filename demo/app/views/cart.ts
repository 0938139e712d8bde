// The cart, and many requests at once that fill it.

import { html, type SafeHtml } from "@remix-run/html-template";
import { THINGS } from "../cart.ts";
import type { PageModel, StatusModel } from "./model.ts";

/** What is in the cart, and the buttons that change it. */
export function cartView({ cart, unreachable }: PageModel): SafeHtml {
  const total = unreachable ? "–" : cart.total;
  const count = (thing: string) =>
    unreachable ? "–" : cart.counts.get(thing) ?? 0;
  return html`
    <div id="cart">
      <h3>Your cart <span class="count" id="total">${total}</span></h3>
      <ul class="things">
        ${THINGS.map((thing) => thingView(thing, count(thing)))}
      </ul>
      <form method="post" action="/cart/empty">
        <button class="quiet">Empty the cart</button>
      </form>
    </div>
  `;
}

function thingView(thing: string, count: number | string): SafeHtml {
  return html`
    <li>
      <form method="post" action="/cart">
      <span>${thing}</span> <b>${count}</b>
      <button name="thing" value="${thing}" aria-label="Add ${thing}">Add</button>
      </form>
    </li>
  `;
}

/** Many requests at once. They need the script: a form sends one request. */
export function burstView({ state }: StatusModel): SafeHtml {
  const origins = state.apps.map(({ origin }) => origin).join(" ");
  return html`
    <div id="burst" data-origins="${origins}">
      <p>Each adds one thing to the cart, half of them through either process, as
        from many tabs. They change one session, and all of them are kept. The
        second button does the same with <code>conflicts: "overwrite"</code>, the
        habit of other storages.</p>
      <div class="row">
        <button type="button" class="primary" data-burst="/cart">Merge</button>
        <button type="button"
          data-burst="/cart/last-save-wins">Last save wins</button>
      </div>
      <ol id="burst-results" aria-live="polite"></ol>
      <noscript><p>This needs JavaScript.</p></noscript>
    </div>
  `;
}
