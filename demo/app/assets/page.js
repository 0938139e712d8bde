// Refreshes the page's state every second.

import { enableBursts } from "./burst.js";
import { takeOverForms } from "./forms.js";
import { notify, showQuietly, version } from "./parts.js";

const INTERVAL = 1000;

async function load(path) {
  return await (await fetch(path)).text();
}

async function refresh() {
  const before = version();
  showQuietly(await load("/background/status"));
  // The session has changed, perhaps in another tab, or may be in reach again.
  const isUnreachable = document.querySelector("#notice.warning") !== null;
  if (version() !== before || isUnreachable) {
    showQuietly(await load("/background/page"));
  }
}

async function keepRefreshing() {
  try {
    if (!document.hidden) await refresh();
  } catch {
    notify("This app process does not answer.");
  }
  setTimeout(keepRefreshing, INTERVAL);
}

takeOverForms();
enableBursts();
setTimeout(keepRefreshing, INTERVAL);
