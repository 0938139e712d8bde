// Brings the parts of the page up to date from HTML that the app has rendered.

import { morph } from "./morph.js";

const PARTS = [
  "apps",
  "notice",
  "account",
  "place",
  "cart",
  "servers",
  "rolling",
  "figures",
  "visitors",
  "log",
];

/** Shows the parts that are in `html`, the answer to something the visitor did. */
export function show(html) {
  update(html, () => true);
}

/**
 * Shows the parts that are in `html`, which no action requested: a message stays
 * until it has been read, unless an outage begins or ends.
 */
export function showQuietly(html) {
  update(
    html,
    (old, part) => old.id !== "notice" || old.className !== part.className,
  );
}

/** Says something in the place for messages. */
export function notify(text) {
  document.getElementById("notice").textContent = text;
}

/** Changes whenever the session does. */
export function version() {
  return document.getElementById("place").dataset.version;
}

/** Who is logged in, as the page shows it. */
export function user() {
  return document.querySelector("#account strong")?.textContent;
}

function update(html, wanted) {
  const next = new DOMParser().parseFromString(html, "text/html");
  for (const id of PARTS) {
    const old = document.getElementById(id);
    const part = next.getElementById(id);
    if (part === null || !wanted(old, part)) continue;
    const hadFocus = old.contains(document.activeElement);
    morph(old, part);
    if (hadFocus && !old.contains(document.activeElement)) {
      old.querySelector("input, button")?.focus();
    }
  }
}
