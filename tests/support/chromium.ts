// The system's Chromium, for tests that drive a page.

import { type Browser, chromium } from "playwright-core";
import { findCommand } from "../../tools/find_command.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of Chromium; `undefined` when there is none. */
export function findChromium(): string | undefined {
  for (const name of NAMES) {
    const path = findCommand(name);
    if (path !== undefined) return path;
  }
}

/** Starts Chromium; disposing of it ends it. */
export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGS });
}
